import connectPgSimple from 'connect-pg-simple';
import session from 'express-session';
import { config } from '../config.js';
import { sessionPool } from '../db.js';

const PgStore = connectPgSimple(session);

export const sessionStore = new PgStore({
  pool: sessionPool,
  tableName: 'session',
  pruneSessionInterval: 15 * 60,
});

export const sessions = session({
  store: sessionStore,
  secret: config.sessionSecret,
  resave: false,
  saveUninitialized: false,
  cookie: {
    httpOnly: true,
    sameSite: 'lax',
    secure: config.production,
    maxAge: 7 * 24 * 60 * 60 * 1000,
  },
});
