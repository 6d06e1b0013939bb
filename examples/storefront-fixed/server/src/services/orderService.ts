import { Prisma } from '@prisma/client';
import { prisma } from '../db.js';
import { HttpError, isUniqueViolation } from '../lib/errors.js';
import { logger } from '../lib/logger.js';
import { formatMoney } from '../lib/money.js';
import { notifyUser } from '../realtime/notifications.js';
import { orderRepository } from '../repositories/orderRepository.js';
import { mailJob } from './mailQueue.js';
import { chargeCard } from './paymentClient.js';

interface Checkout {
  userId: number;
  address: string;
  paymentToken: string;
  couponCode?: string;
  requestKey: string;
}

interface Line {
  productId: number;
  quantity: number;
  priceCents: number;
}

const TRANSACTION = { timeout: 5_000, maxWait: 2_000 };

async function takeStock(tx: Prisma.TransactionClient, lines: Line[]) {
  const ids = lines.map((line) => line.productId);
  const quantities = lines.map((line) => line.quantity);
  const updated = await tx.$executeRaw`
    UPDATE "Product" p SET "stock" = p."stock" - l.quantity
      FROM unnest(${ids}::int[], ${quantities}::int[]) AS l(id, quantity)
     WHERE p."id" = l.id AND p."stock" >= l.quantity`;
  if (updated !== lines.length) throw new HttpError(409, 'A product in your cart is sold out');
}

async function redeemCoupon(tx: Prisma.TransactionClient, code: string): Promise<number> {
  const coupons = await tx.$queryRaw<Array<{ percentOff: number }>>`
    UPDATE "Coupon" SET "remaining" = "remaining" - 1
     WHERE "code" = ${code} AND "remaining" > 0
    RETURNING "percentOff"`;
  return coupons[0]?.percentOff ?? 0;
}

/** Reserves stock and coupon and writes the pending order: all or nothing, no outside call while it is open. */
async function reserve({ userId, address, couponCode, requestKey }: Checkout) {
  const cart = await prisma.cartItem.findMany({
    where: { userId },
    take: 100,
    orderBy: { productId: 'asc' },
    select: { productId: true, quantity: true, product: { select: { priceCents: true } } },
  });
  if (cart.length === 0) throw new HttpError(409, 'Your cart is empty');
  const lines = cart.map(({ productId, quantity, product }) => ({
    productId,
    quantity,
    priceCents: product.priceCents,
  }));
  const subtotal = lines.reduce((sum, line) => sum + line.quantity * line.priceCents, 0);

  const order = await prisma.$transaction(async (tx) => {
    await takeStock(tx, lines);
    const discount = couponCode ? await redeemCoupon(tx, couponCode) : 0;
    return tx.order.create({
      data: {
        userId,
        address,
        couponCode: discount > 0 ? couponCode : null,
        requestKey,
        totalCents: Math.round(subtotal * (1 - discount / 100)),
        items: { createMany: { data: lines } },
      },
      include: { user: { select: { name: true, email: true } } },
    });
  }, TRANSACTION);
  return { order, lines };
}

async function release(orderId: number, couponCode: string | null, lines: Line[]) {
  const ids = lines.map((line) => line.productId);
  const quantities = lines.map((line) => line.quantity);
  await prisma.$transaction(async (tx) => {
    const cancelled = await tx.order.updateMany({
      where: { id: orderId, status: 'PENDING' },
      data: { status: 'CANCELLED' },
    });
    if (cancelled.count === 0) return;
    await tx.$executeRaw`
      UPDATE "Product" p SET "stock" = p."stock" + l.quantity
        FROM unnest(${ids}::int[], ${quantities}::int[]) AS l(id, quantity)
       WHERE p."id" = l.id`;
    if (couponCode) {
      await tx.coupon.updateMany({ where: { code: couponCode }, data: { remaining: { increment: 1 } } });
    }
  }, TRANSACTION);
}

async function earlierAnswer(userId: number, requestKey: string) {
  const order = await orderRepository.byRequestKey(userId, requestKey);
  if (!order) return null;
  if (order.status === 'PENDING') throw new HttpError(409, 'This order is being processed');
  if (order.status === 'CANCELLED') throw new HttpError(402, 'The payment was refused');
  return { id: order.id, status: 'paid', totalCents: order.totalCents };
}

export async function placeOrder(checkout: Checkout) {
  const { userId, requestKey, paymentToken } = checkout;
  const earlier = await earlierAnswer(userId, requestKey);
  if (earlier) return earlier;

  let reserved: Awaited<ReturnType<typeof reserve>>;
  try {
    reserved = await reserve(checkout);
  } catch (err) {
    if (isUniqueViolation(err)) throw new HttpError(409, 'This order is being processed');
    throw err;
  }
  const { order, lines } = reserved;

  let charge;
  try {
    charge = await chargeCard(order.totalCents, paymentToken, `order-${order.id}`);
  } catch (err) {
    logger.warn({ err, orderId: order.id }, 'payment failed');
    await release(order.id, order.couponCode, lines);
    throw new HttpError(402, 'The payment could not be completed');
  }

  await prisma.$transaction([
    prisma.order.update({ where: { id: order.id }, data: { status: 'PAID', paymentRef: charge.id } }),
    prisma.cartItem.deleteMany({ where: { userId, productId: { in: lines.map((line) => line.productId) } } }),
    prisma.mailJob.create({
      data: mailJob(order.user.email, `Order #${order.id}`, 'order-confirmation', {
        name: order.user.name,
        orderId: String(order.id),
        total: formatMoney(order.totalCents),
      }),
    }),
  ]);
  notifyUser(userId, { type: 'order-paid', orderId: order.id });
  return { id: order.id, status: 'paid', totalCents: order.totalCents };
}

export async function listOrders(userId: number, before: number | undefined, size: number) {
  const orders = await orderRepository.forUser(userId, before, size);
  return orders.map((order) => ({
    id: order.id,
    status: order.status.toLowerCase(),
    total: formatMoney(order.totalCents),
    placedAt: order.createdAt,
    items: order.items.map((item) => ({ name: item.product.name, quantity: item.quantity })),
  }));
}
