import { LRUCache } from 'lru-cache';
import { prisma } from '../db.js';
import { csvLine } from '../lib/csv.js';
import { orderRepository } from '../repositories/orderRepository.js';

export async function* orderCsvLines() {
  yield csvLine(['id', 'customer', 'email', 'status', 'items', 'total', 'created']);
  for await (const page of orderRepository.pages()) {
    yield page
      .map((order) =>
        csvLine([
          order.id,
          order.user.name,
          order.user.email,
          order.status,
          order._count.items,
          (order.totalCents / 100).toFixed(2),
          order.createdAt.toISOString(),
        ]),
      )
      .join('');
  }
}

async function loadDashboard() {
  const [customers, products, byStatus] = await Promise.all([
    prisma.user.count({ where: { role: 'CUSTOMER' } }),
    prisma.product.count(),
    prisma.order.groupBy({ by: ['status'], _count: true, _sum: { totalCents: true } }),
  ]);
  const of = (status: string) => byStatus.find((row) => row.status === status);
  return {
    customers,
    products,
    pending: of('PENDING')?._count ?? 0,
    shipped: of('SHIPPED')?._count ?? 0,
    paid: of('PAID')?._count ?? 0,
    revenueCents: of('PAID')?._sum.totalCents ?? 0,
  };
}

const dashboards = new LRUCache<'all', Awaited<ReturnType<typeof loadDashboard>>>({
  max: 1,
  ttl: 30_000,
  fetchMethod: loadDashboard,
});

export async function dashboard() {
  return await dashboards.fetch('all');
}

interface BestSeller {
  name: string;
  sold: number;
}

function loadBestSellers(days: number) {
  return prisma.$queryRaw<BestSeller[]>`
    SELECT p."name", SUM(i."quantity")::int AS sold
      FROM "Order" o
      JOIN "OrderItem" i ON i."orderId" = o."id"
      JOIN "Product" p ON p."id" = i."productId"
     WHERE o."createdAt" > now() - make_interval(days => ${days}::int)
     GROUP BY p."id", p."name"
     ORDER BY sold DESC
     LIMIT 10`;
}

const bestSellerLists = new LRUCache<number, BestSeller[]>({
  max: 100,
  ttl: 60_000,
  fetchMethod: (days) => loadBestSellers(days),
});

export async function bestSellers(days: number) {
  return await bestSellerLists.fetch(days);
}
