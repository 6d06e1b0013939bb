import { createServer } from 'node:http';
import { createApp } from './app.js';
import { config } from './config.js';
import { prisma, sessionPool } from './db.js';
import { logger } from './lib/logger.js';
import { sessions, sessionStore } from './middleware/session.js';
import { attachRealtime } from './realtime/notifications.js';
import { startDraining } from './routes/health.js';
import { startMailWorker } from './services/mailQueue.js';

const server = createServer(createApp());
server.requestTimeout = 30_000;
server.headersTimeout = 20_000;
server.keepAliveTimeout = 75_000;
const io = attachRealtime(server, sessions);
const stopMailWorker = startMailWorker();

server.listen(config.port, () => {
  logger.info({ port: config.port, version: config.version }, 'storefront is listening');
});

let stopping = false;

async function shutdown(signal: string, code: number) {
  if (stopping) return;
  stopping = true;
  logger.info({ signal }, 'shutting down');
  startDraining();
  setTimeout(() => process.exit(1), 15_000).unref();
  try {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await Promise.all([io.close(), closed, stopMailWorker()]);
    sessionStore.close();
    await Promise.all([prisma.$disconnect(), sessionPool.end()]);
  } catch (err) {
    logger.error({ err }, 'shutdown failed');
    process.exit(1);
  }
  process.exit(code);
}

process.once('SIGTERM', () => shutdown('SIGTERM', 0));
process.once('SIGINT', () => shutdown('SIGINT', 0));
process.once('uncaughtException', (err) => {
  logger.fatal({ err }, 'uncaught exception');
  shutdown('uncaughtException', 1);
});
process.once('unhandledRejection', (err) => {
  logger.fatal({ err }, 'unhandled rejection');
  shutdown('unhandledRejection', 1);
});
