import { rateLimit } from 'express-rate-limit';

const common = { standardHeaders: 'draft-7', legacyHeaders: false } as const;

export const apiLimit = rateLimit({ ...common, windowMs: 60_000, limit: 600 });
export const authLimit = rateLimit({ ...common, windowMs: 15 * 60_000, limit: 20 });
export const searchLimit = rateLimit({ ...common, windowMs: 60_000, limit: 120 });
export const writeLimit = rateLimit({ ...common, windowMs: 60_000, limit: 60 });
export const checkoutLimit = rateLimit({ ...common, windowMs: 60_000, limit: 10 });
export const heavyLimit = rateLimit({ ...common, windowMs: 60_000, limit: 10 });
