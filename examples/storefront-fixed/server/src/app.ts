import 'express-async-errors';
import { randomUUID } from 'node:crypto';
import compression from 'compression';
import express from 'express';
import { pinoHttp } from 'pino-http';
import { logger } from './lib/logger.js';
import { measure } from './lib/metrics.js';
import { errorHandler, notFound } from './middleware/errors.js';
import { apiLimit } from './middleware/limits.js';
import { sessions } from './middleware/session.js';
import { uploadDir } from './middleware/upload.js';
import { adminRouter } from './routes/admin.js';
import { authRouter } from './routes/auth.js';
import { cartRouter } from './routes/cart.js';
import { healthRouter } from './routes/health.js';
import { ordersRouter } from './routes/orders.js';
import { productsRouter } from './routes/products.js';
import { wishlistRouter } from './routes/wishlist.js';

export function createApp() {
  const app = express();
  app.set('trust proxy', 1);
  app.disable('x-powered-by');

  app.use(measure);
  app.use(
    pinoHttp({
      logger,
      genReqId: (_req, res) => {
        const id = randomUUID();
        res.setHeader('x-request-id', id);
        return id;
      },
      customLogLevel: (_req, res, err) => (err || res.statusCode >= 500 ? 'error' : 'silent'),
    }),
  );
  app.use(healthRouter);
  app.use('/uploads', express.static(uploadDir, { maxAge: '7d', fallthrough: false }));

  app.use('/api', apiLimit, compression(), express.json({ limit: '100kb' }), sessions);
  app.use('/api/auth', authRouter);
  app.use('/api/products', productsRouter);
  app.use('/api/cart', cartRouter);
  app.use('/api/wishlist', wishlistRouter);
  app.use('/api/orders', ordersRouter);
  app.use('/api/admin', adminRouter);

  app.use(notFound);
  app.use(errorHandler);
  return app;
}
