import { prisma } from '../db.js';
import { mailJob } from '../services/mailQueue.js';

export const customerRepository = {
  credentials(email: string) {
    return prisma.user.findUnique({
      where: { email },
      select: { id: true, email: true, name: true, role: true, passwordHash: true },
    });
  },

  byId(id: number) {
    return prisma.user.findUnique({
      where: { id },
      select: { id: true, email: true, name: true, role: true },
    });
  },

  async createWithWelcome(data: { email: string; name: string; passwordHash: string }) {
    const [user] = await prisma.$transaction([
      prisma.user.create({ data, select: { id: true, email: true, name: true } }),
      prisma.mailJob.create({ data: mailJob(data.email, 'Welcome!', 'welcome', { name: data.name }) }),
    ]);
    return user;
  },

  page(before: number | undefined, size: number) {
    return prisma.user.findMany({
      where: { role: 'CUSTOMER', ...(before && { id: { lt: before } }) },
      orderBy: { id: 'desc' },
      take: Math.min(size, 100),
      select: { id: true, name: true, email: true, _count: { select: { orders: true } } },
    });
  },

  subscribe(ids: number[]) {
    return prisma.user.updateMany({ where: { id: { in: ids } }, data: { newsletter: true } });
  },

  queueNewsletter(subject: string) {
    return prisma.$executeRaw`
      INSERT INTO "MailJob" ("recipient", "subject", "template", "values")
      SELECT "email", ${subject}, 'welcome', jsonb_build_object('name', "name")
        FROM "User" WHERE "newsletter" = true`;
  },
};
