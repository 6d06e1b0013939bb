import { prisma } from '../db.js';
import { formatMoney } from '../lib/money.js';
import { orderRepository } from '../repositories/orderRepository.js';
import { productRepository } from '../repositories/productRepository.js';
import { notifyUser } from '../realtime/notifications.js';
import { discountFor } from './couponService.js';
import { sendMail } from './mailer.js';
import { chargeCard } from './paymentClient.js';

export class CheckoutError extends Error {}

export async function reserveStock(productId: number, quantity: number) {
  const product = await productRepository.findById(productId);
  if (!product || product.stock < quantity) {
    throw new CheckoutError(`Product ${productId} is sold out`);
  }
  await productRepository.setStock(productId, product.stock - quantity);
  return product;
}

export async function placeOrder(userId: number, address: string, paymentToken: string, couponCode?: string) {
  const cart = await prisma.cartItem.findMany({ where: { userId } });
  if (cart.length === 0) throw new CheckoutError('Your cart is empty');

  const lines: Array<{ productId: number; quantity: number; priceCents: number }> = [];
  for (const item of cart) {
    const product = await reserveStock(item.productId, item.quantity);
    lines.push({ productId: product.id, quantity: item.quantity, priceCents: product.priceCents });
  }

  const subtotal = lines.reduce((sum, line) => sum + line.quantity * line.priceCents, 0);
  const discount = couponCode ? await discountFor(couponCode) : 0;
  const totalCents = Math.round(subtotal * (1 - discount / 100));

  const order = await prisma.$transaction(
    async (tx) => {
      const created = await tx.order.create({
        data: { userId, address, couponCode, totalCents, items: { create: lines } },
      });
      const charge = await chargeCard(totalCents, paymentToken);
      await tx.cartItem.deleteMany({ where: { userId } });
      return tx.order.update({
        where: { id: created.id },
        data: { status: 'PAID', paymentRef: charge.id },
        include: { user: true },
      });
    },
    { timeout: 60_000, maxWait: 20_000 },
  );

  await sendMail(order.user.email, `Order #${order.id}`, 'order-confirmation', {
    name: order.user.name,
    orderId: String(order.id),
    total: formatMoney(order.totalCents),
  });
  notifyUser(userId, { type: 'order-paid', orderId: order.id });
  return { id: order.id, status: 'paid', totalCents: order.totalCents };
}

export async function describeOrder(order: { id: number; status: string; totalCents: number; createdAt: Date }) {
  const items = await orderRepository.itemsOf(order.id);
  return {
    id: order.id,
    status: order.status.toLowerCase(),
    total: formatMoney(order.totalCents),
    placedAt: order.createdAt,
    items: items.map((item) => ({ name: item.product.name, quantity: item.quantity })),
  };
}
