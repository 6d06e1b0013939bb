import pg from 'pg';
import { config } from '../config.js';
import { prisma } from '../db.js';
import { csvLine } from '../lib/csv.js';
import { orderRepository } from '../repositories/orderRepository.js';

export async function exportOrdersCsv(): Promise<string> {
  const orders = await orderRepository.all();
  let csv = csvLine(['id', 'customer', 'email', 'status', 'items', 'total', 'created']);
  for (const order of orders) {
    csv += csvLine([
      order.id,
      order.user.name,
      order.user.email,
      order.status,
      order.items.length,
      (order.totalCents / 100).toFixed(2),
      order.createdAt.toISOString(),
    ]);
  }
  return csv;
}

export async function dashboard() {
  const customers = await prisma.user.count({ where: { role: 'CUSTOMER' } });
  const products = await prisma.product.count();
  const pending = await prisma.order.count({ where: { status: 'PENDING' } });
  const paid = await prisma.order.findMany({ where: { status: 'PAID' } });
  const revenueCents = paid.reduce((sum, order) => sum + order.totalCents, 0);
  return { customers, products, pending, paid: paid.length, revenueCents };
}

export async function statusBreakdown() {
  const result: Record<string, number> = {};
  for (const status of ['PENDING', 'SHIPPED'] as const) {
    result[status] = await prisma.order.count({ where: { status } });
  }
  return result;
}

export async function bestSellers(days: number) {
  const pool = new pg.Pool({ connectionString: config.databaseUrl });
  const { rows } = await pool.query(
    `SELECT p."name", SUM(i."quantity")::int AS sold
       FROM "OrderItem" i
       JOIN "Order" o ON o."id" = i."orderId"
       JOIN "Product" p ON p."id" = i."productId"
      WHERE o."createdAt" > now() - make_interval(days => $1)
      GROUP BY p."name"
      ORDER BY sold DESC
      LIMIT 10`,
    [days],
  );
  await pool.end();
  return rows;
}
