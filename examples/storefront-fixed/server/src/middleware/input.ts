import { z } from 'zod';

const id = z.coerce.number().int().positive().max(2_147_483_647);
const email = z.string().trim().toLowerCase().email().max(200);

export const idParam = z.object({ id });
export const productParam = z.object({ productId: id });
export const pageQuery = (max: number) =>
  z.object({
    before: id.optional(),
    size: z.coerce.number().int().min(1).max(max).default(max),
  });
export const searchQuery = z.object({
  q: z.string().trim().min(3).max(60),
  limit: z.coerce.number().int().min(1).max(20).default(10),
});
export const zipQuery = z.object({ zip: z.string().regex(/^[0-9A-Z -]{3,10}$/).default('10115') });
export const recommendQuery = z.object({ category: id.optional() });
export const daysQuery = z.object({ days: z.coerce.number().int().min(1).max(90).default(30) });
export const registerBody = z.object({
  email,
  password: z.string().min(8).max(72),
  name: z.string().trim().min(1).max(100),
});
export const loginBody = z.object({ email, password: z.string().min(1).max(72) });
export const cartBody = z.object({ productId: id, quantity: z.coerce.number().int().min(1).max(20) });
export const orderBody = z.object({
  address: z.string().trim().min(3).max(300),
  paymentToken: z.string().min(1).max(200),
  couponCode: z.string().max(40).optional(),
});
export const requestKey = z.string().min(8).max(100);
export const reviewBody = z.object({
  rating: z.coerce.number().int().min(1).max(5),
  body: z.string().trim().min(1).max(2_000),
});
export const pricesBody = z.object({
  changes: z.array(z.object({ productId: id, priceCents: z.number().int().min(0).max(10_000_000) })).min(1).max(500),
});
export const subscribeBody = z.object({ ids: z.array(id).min(1).max(500) });
export const announcementBody = z.object({ title: z.string().min(1).max(100), text: z.string().max(1_000) });
