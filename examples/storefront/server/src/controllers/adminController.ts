import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Request, Response } from 'express';
import { prisma } from '../db.js';
import { customerRepository } from '../repositories/customerRepository.js';
import { orderRepository } from '../repositories/orderRepository.js';
import { productRepository } from '../repositories/productRepository.js';
import { announce } from '../services/announcements.js';
import { bestSellers, dashboard, exportOrdersCsv, statusBreakdown } from '../services/reportService.js';

const priceHistory: Array<{ productId: number; priceCents: number; at: Date }> = [];

export async function showDashboard(_req: Request, res: Response) {
  res.json(await dashboard());
}

export async function showStatus(_req: Request, res: Response) {
  res.json(await statusBreakdown());
}

export async function showBestSellers(req: Request, res: Response) {
  res.json(await bestSellers(Number(req.query.days ?? 30)));
}

export async function listAdminOrders(req: Request, res: Response) {
  const page = Math.max(1, Number(req.query.page) || 1);
  const size = Math.min(100, Number(req.query.size) || 50);
  res.json(await orderRepository.page(page, size));
}

export async function listCustomers(req: Request, res: Response) {
  const limit = parseInt(String(req.query.limit ?? '1000'), 10);
  res.json(await customerRepository.list(limit));
}

export async function exportOrders(_req: Request, res: Response) {
  const csv = await exportOrdersCsv();
  res.setHeader('Content-Disposition', 'attachment; filename="orders.csv"');
  res.type('text/csv').send(csv);
}

export async function updatePrices(req: Request, res: Response) {
  const changes: Array<{ productId: number; priceCents: number }> = req.body.changes;
  await Promise.all(
    changes.map(async (change) => {
      await prisma.product.update({ where: { id: change.productId }, data: { priceCents: change.priceCents } });
      priceHistory.push({ ...change, at: new Date() });
    }),
  );
  res.json({ updated: changes.length });
}

export async function uploadImage(req: Request, res: Response) {
  if (!req.file) return res.status(400).json({ error: 'No image' });
  const id = Number(req.params.id);
  const name = `product-${id}-${Date.now()}${path.extname(req.file.originalname)}`;
  await writeFile(path.resolve('uploads', name), req.file.buffer);
  const product = await productRepository.setImage(id, `/uploads/${name}`);
  res.status(201).json({ id: product.id, imageUrl: product.imageUrl });
}

export async function sendAnnouncement(req: Request, res: Response) {
  try {
    const count = await announce(req.body.title, req.body.text);
    res.json({ count });
  } catch (err) {}
}

export async function subscribeCustomers(req: Request, res: Response) {
  await customerRepository.subscribe(req.body.ids);
  res.status(204).end();
}

export async function shipOrder(req: Request, res: Response) {
  const order = await orderRepository.markShipped(Number(req.params.id));
  res.json({ id: order.id, status: order.status });
}
