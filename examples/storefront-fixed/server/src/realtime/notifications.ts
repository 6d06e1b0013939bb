import type { IncomingMessage, Server as HttpServer } from 'node:http';
import type { RequestHandler } from 'express';
import type { Session, SessionData } from 'express-session';
import { Server } from 'socket.io';
import { config } from '../config.js';

let io: Server | undefined;
const TYPING_INTERVAL_MS = 500;

export function attachRealtime(server: HttpServer, sessions: RequestHandler) {
  io = new Server(server, {
    cors: { origin: config.clientOrigin, credentials: true },
    maxHttpBufferSize: 10_000,
    pingInterval: 25_000,
    pingTimeout: 20_000,
  });
  io.engine.use(sessions);
  io.use((socket, next) => {
    const request = socket.request as IncomingMessage & { session?: Session & Partial<SessionData> };
    if (!request.session?.userId) return next(new Error('Please log in'));
    socket.data.userId = request.session.userId;
    next();
  });

  io.on('connection', (socket) => {
    socket.join([`user:${socket.data.userId}`, 'announcements']);

    let lastTyping = 0;
    socket.on('typing', () => {
      const now = Date.now();
      if (now - lastTyping < TYPING_INTERVAL_MS) return;
      lastTyping = now;
      socket.volatile.to('support').emit('typing', { userId: socket.data.userId });
    });
  });
  return io;
}

export function notifyUser(userId: number, event: { type: string; orderId?: number }) {
  io?.to(`user:${userId}`).emit('notification', event);
}

export function announceToShoppers(event: { type: string; title: string; text: string }) {
  io?.volatile.to('announcements').emit('notification', event);
}
