import { prisma } from '../db.js';

export const customerRepository = {
  byEmail(email: string) {
    return prisma.$queryRaw<Array<{ id: number; name: string; email: string; passwordHash: string; role: 'CUSTOMER' | 'ADMIN' }>>`
      SELECT * FROM "User" WHERE LOWER("email") = LOWER(${email})`;
  },

  byId(id: number) {
    return prisma.user.findUnique({
      where: { id },
      select: { id: true, email: true, name: true, role: true },
    });
  },

  create(data: { email: string; name: string; passwordHash: string }) {
    return prisma.user.create({ data });
  },

  list(limit: number) {
    return prisma.user.findMany({
      where: { role: 'CUSTOMER' },
      orderBy: { createdAt: 'desc' },
      take: limit,
      include: { orders: true },
    });
  },

  newsletterAudience() {
    return prisma.user.findMany({ where: { newsletter: true }, select: { email: true, name: true } });
  },

  async subscribe(ids: number[]) {
    for (let i = 0; i < ids.length; i += 500) {
      await prisma.user.updateMany({
        where: { id: { in: ids.slice(i, i + 500) } },
        data: { newsletter: true },
      });
    }
  },
};
