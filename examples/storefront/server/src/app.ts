import path from 'node:path';
import cors from 'cors';
import express from 'express';
import session from 'express-session';
import { config } from './config.js';
import { requestLogger } from './middleware/requestLogger.js';
import { adminRouter } from './routes/admin.js';
import { authRouter } from './routes/auth.js';
import { cartRouter } from './routes/cart.js';
import { ordersRouter } from './routes/orders.js';
import { productsRouter } from './routes/products.js';
import { wishlistRouter } from './routes/wishlist.js';

export function createApp() {
  const app = express();

  app.use(cors({ origin: config.clientOrigin, credentials: true }));
  app.use(express.json({ limit: '50mb' }));
  app.use(
    session({
      secret: config.sessionSecret,
      resave: false,
      saveUninitialized: true,
      cookie: { httpOnly: true, maxAge: 7 * 24 * 60 * 60 * 1000 },
    }),
  );
  app.use(requestLogger);

  app.get('/healthz', (_req, res) => {
    res.json({ ok: true, version: config.version });
  });

  app.use('/uploads', express.static(path.resolve('uploads')));
  app.use('/api/auth', authRouter);
  app.use('/api/products', productsRouter);
  app.use('/api/cart', cartRouter);
  app.use('/api/wishlist', wishlistRouter);
  app.use('/api/orders', ordersRouter);
  app.use('/api/admin', adminRouter);

  return app;
}
