import { prisma } from '../db.js';

const EXPORT_PAGE = 500;

export const orderRepository = {
  forUser(userId: number, before: number | undefined, size: number) {
    return prisma.order.findMany({
      where: { userId, ...(before && { id: { lt: before } }) },
      orderBy: { id: 'desc' },
      take: Math.min(size, 50),
      select: {
        id: true,
        status: true,
        totalCents: true,
        createdAt: true,
        items: { take: 50, select: { quantity: true, product: { select: { name: true } } } },
      },
    });
  },

  byId(id: number) {
    return prisma.order.findUnique({
      where: { id },
      select: {
        id: true,
        userId: true,
        status: true,
        totalCents: true,
        address: true,
        createdAt: true,
        items: { take: 100, select: { quantity: true, priceCents: true, product: { select: { name: true } } } },
      },
    });
  },

  byRequestKey(userId: number, requestKey: string) {
    return prisma.order.findUnique({
      where: { userId_requestKey: { userId, requestKey } },
      select: { id: true, status: true, totalCents: true },
    });
  },

  page(before: number | undefined, size: number) {
    return prisma.order.findMany({
      where: before ? { id: { lt: before } } : {},
      orderBy: { id: 'desc' },
      take: Math.min(size, 100),
      select: { id: true, status: true, totalCents: true, createdAt: true },
    });
  },

  async *pages() {
    let after = 0;
    for (;;) {
      const page = await prisma.order.findMany({
        where: { id: { gt: after } },
        orderBy: { id: 'asc' },
        take: EXPORT_PAGE,
        select: {
          id: true,
          status: true,
          totalCents: true,
          createdAt: true,
          user: { select: { name: true, email: true } },
          _count: { select: { items: true } },
        },
      });
      if (page.length === 0) return;
      yield page;
      after = page[page.length - 1].id;
    }
  },

  markShipped(id: number) {
    return prisma.order.update({
      where: { id },
      data: { status: 'SHIPPED' },
      select: { id: true, status: true, userId: true },
    });
  },
};
