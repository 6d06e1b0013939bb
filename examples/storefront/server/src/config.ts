import { readFileSync } from 'node:fs';

const pkg = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));

export const config = {
  version: pkg.version as string,
  port: Number(process.env.PORT ?? 4000),
  databaseUrl: process.env.DATABASE_URL ?? 'postgresql://shop:shop@localhost:5432/shop',
  sessionSecret: process.env.SESSION_SECRET ?? 'change-me',
  paymentUrl: process.env.PAYMENT_URL ?? 'https://api.payments.example.com',
  paymentKey: process.env.PAYMENT_KEY ?? '',
  mailUrl: process.env.MAIL_URL ?? 'https://api.mail.example.com',
  shippingUrl: process.env.SHIPPING_URL ?? 'https://rates.shipping.example.com',
  clientOrigin: process.env.CLIENT_ORIGIN ?? 'http://localhost:5173',
};
