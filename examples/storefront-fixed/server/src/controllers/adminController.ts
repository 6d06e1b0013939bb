import { unlink } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { HttpError } from '../lib/errors.js';
import * as input from '../middleware/input.js';
import { announceToShoppers, notifyUser } from '../realtime/notifications.js';
import { customerRepository } from '../repositories/customerRepository.js';
import { orderRepository } from '../repositories/orderRepository.js';
import { productRepository } from '../repositories/productRepository.js';
import { bestSellers, dashboard, orderCsvLines } from '../services/reportService.js';

export async function showDashboard(_req: Request, res: Response) {
  res.json(await dashboard());
}

export async function showStatus(_req: Request, res: Response) {
  const totals = await dashboard();
  res.json({ PENDING: totals?.pending, SHIPPED: totals?.shipped });
}

export async function showBestSellers(req: Request, res: Response) {
  const { days } = input.daysQuery.parse(req.query);
  res.json(await bestSellers(days));
}

export async function listAdminOrders(req: Request, res: Response) {
  const { before, size } = input.pageQuery(50).parse(req.query);
  const items = await orderRepository.page(before, size);
  res.json({ items, next: items.length === size ? items[items.length - 1].id : null });
}

export async function listCustomers(req: Request, res: Response) {
  const { before, size } = input.pageQuery(50).parse(req.query);
  const items = await customerRepository.page(before, size);
  res.json({ items, next: items.length === size ? items[items.length - 1].id : null });
}

export async function exportOrders(_req: Request, res: Response) {
  res.setHeader('Content-Disposition', 'attachment; filename="orders.csv"');
  res.type('text/csv');
  await pipeline(Readable.from(orderCsvLines()), res);
}

export async function updatePrices(req: Request, res: Response) {
  const { changes } = input.pricesBody.parse(req.body);
  const updated = await productRepository.setPrices(
    changes.map((change) => change.productId),
    changes.map((change) => change.priceCents),
  );
  res.json({ updated });
}

export async function uploadImage(req: Request, res: Response) {
  const file = req.file;
  if (!file) throw new HttpError(400, 'No image');
  try {
    const { id } = input.idParam.parse(req.params);
    res.status(201).json(await productRepository.setImage(id, `/uploads/${file.filename}`));
  } catch (err) {
    await unlink(file.path).catch((unlinkErr) => req.log.warn({ err: unlinkErr }, 'upload not removed'));
    throw err;
  }
}

export async function sendAnnouncement(req: Request, res: Response) {
  const { title, text } = input.announcementBody.parse(req.body);
  const count = await customerRepository.queueNewsletter(title);
  announceToShoppers({ type: 'announcement', title, text });
  res.status(202).json({ count });
}

export async function subscribeCustomers(req: Request, res: Response) {
  const { ids } = input.subscribeBody.parse(req.body);
  await customerRepository.subscribe(ids);
  res.status(204).end();
}

export async function shipOrder(req: Request, res: Response) {
  const { id } = input.idParam.parse(req.params);
  const order = await orderRepository.markShipped(id);
  notifyUser(order.userId, { type: 'order-shipped', orderId: order.id });
  res.json({ id: order.id, status: order.status });
}
