import { PrismaPg } from '@prisma/adapter-pg';
import { PrismaClient } from '@prisma/client';
import pg from 'pg';
import { config } from './config.js';
import { logger } from './lib/logger.js';

const adapter = new PrismaPg(
  {
    connectionString: config.databaseUrl,
    max: config.dbPoolMax,
    connectionTimeoutMillis: 2_000,
    idleTimeoutMillis: 30_000,
    statement_timeout: 3_000,
    query_timeout: 4_000,
    idle_in_transaction_session_timeout: 5_000,
  },
  { onPoolError: (err) => logger.error({ err }, 'database pool error') },
);

export const prisma = new PrismaClient({ adapter, log: ['error'] });

export const sessionPool = new pg.Pool({
  connectionString: config.databaseUrl,
  max: config.sessionPoolMax,
  connectionTimeoutMillis: 2_000,
  idleTimeoutMillis: 30_000,
  statement_timeout: 2_000,
  query_timeout: 2_500,
});
sessionPool.on('error', (err) => logger.error({ err }, 'session pool error'));
