import { prisma } from '../db.js';

export const orderRepository = {
  forUser(userId: number) {
    return prisma.order.findMany({
      where: { userId },
      orderBy: { createdAt: 'desc' },
    });
  },

  itemsOf(orderId: number) {
    return prisma.orderItem.findMany({
      where: { orderId },
      include: { product: { select: { name: true, slug: true } } },
    });
  },

  byId(id: number) {
    return prisma.order.findUnique({
      where: { id },
      include: { items: { include: { product: true } }, user: { select: { name: true, email: true } } },
    });
  },

  page(page: number, size: number) {
    return prisma.order.findMany({
      orderBy: { id: 'desc' },
      skip: (page - 1) * size,
      take: size,
      select: { id: true, status: true, totalCents: true, createdAt: true },
    });
  },

  all() {
    return prisma.order.findMany({ include: { items: true, user: true } });
  },

  markShipped(id: number) {
    return prisma.order.update({ where: { id }, data: { status: 'SHIPPED' } });
  },
};
