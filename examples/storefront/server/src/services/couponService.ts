import { prisma } from '../db.js';

export async function discountFor(code: string): Promise<number> {
  const coupon = await prisma.coupon.findUnique({ where: { code } });
  if (!coupon) return 0;
  const redeemed = await prisma.coupon.updateMany({
    where: { code, remaining: { gt: 0 } },
    data: { remaining: { decrement: 1 } },
  });
  return redeemed.count === 1 ? coupon.percentOff : 0;
}
