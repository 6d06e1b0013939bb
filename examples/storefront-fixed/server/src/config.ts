import { readFileSync } from 'node:fs';

const pkg = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

function required(name: string, development: string): string {
  const value = process.env[name];
  if (value) return value;
  if (process.env.NODE_ENV === 'production') throw new Error(`${name} is not set`);
  return development;
}

export const config = {
  version: pkg.version as string,
  production: process.env.NODE_ENV === 'production',
  port: Number(process.env.PORT ?? 4000),
  logLevel: process.env.LOG_LEVEL ?? 'info',
  databaseUrl: required('DATABASE_URL', 'postgresql://shop:shop@localhost:5432/shop'),
  // 100 req/s x 3 queries x 20 ms = 6 busy connections on average; 20 keeps utilisation at 30%.
  dbPoolMax: Number(process.env.DB_POOL_MAX ?? 20),
  // One session read per request: 100 req/s x 5 ms = 0.5 busy connections.
  sessionPoolMax: Number(process.env.SESSION_POOL_MAX ?? 5),
  sessionSecret: required('SESSION_SECRET', 'development-only'),
  paymentUrl: required('PAYMENT_URL', 'http://localhost:4010'),
  paymentKey: required('PAYMENT_KEY', 'development-only'),
  mailUrl: required('MAIL_URL', 'http://localhost:4011'),
  shippingUrl: required('SHIPPING_URL', 'http://localhost:4012'),
  clientOrigin: required('CLIENT_ORIGIN', 'http://localhost:5173'),
};
