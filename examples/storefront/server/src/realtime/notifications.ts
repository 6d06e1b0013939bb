import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import { prisma } from '../db.js';

let io: Server | undefined;
const onlineUsers = new Map<string, number>();

export function attachRealtime(server: HttpServer) {
  io = new Server(server, { cors: { origin: '*' } });

  io.on('connection', (socket) => {
    const userId = Number(socket.handshake.query.userId);
    onlineUsers.set(socket.id, userId);
    socket.join(`user:${userId}`);

    setInterval(async () => {
      const pending = await prisma.order.count({ where: { userId, status: 'PENDING' } });
      socket.emit('pending-orders', pending);
    }, 10_000);

    socket.on('typing', (payload) => {
      io?.emit('typing', payload);
    });

    socket.on('disconnect', () => {
      onlineUsers.delete(socket.id);
    });
  });
}

export function notifyUser(userId: number, event: { type: string; orderId?: number }) {
  io?.to(`user:${userId}`).emit('notification', event);
}

export function broadcast(event: { type: string; title: string; text: string }) {
  io?.emit('notification', event);
}
