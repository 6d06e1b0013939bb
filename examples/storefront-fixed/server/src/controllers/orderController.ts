import { createReadStream } from 'node:fs';
import { access } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Request, Response } from 'express';
import { HttpError } from '../lib/errors.js';
import * as input from '../middleware/input.js';
import { uploadDir } from '../middleware/upload.js';
import { orderRepository } from '../repositories/orderRepository.js';
import * as orders from '../services/orderService.js';

export async function createOrder(req: Request, res: Response) {
  const body = input.orderBody.parse(req.body);
  const requestKey = input.requestKey.parse(req.get('idempotency-key'));
  const order = await orders.placeOrder({ ...body, requestKey, userId: req.session.userId! });
  res.status(201).json(order);
}

export async function listOrders(req: Request, res: Response) {
  const { before, size } = input.pageQuery(20).parse(req.query);
  const items = await orders.listOrders(req.session.userId!, before, size);
  res.json({ items, next: items.length === size ? items[items.length - 1].id : null });
}

async function ownOrder(req: Request) {
  const { id } = input.idParam.parse(req.params);
  const order = await orderRepository.byId(id);
  if (!order || (order.userId !== req.session.userId && req.session.role !== 'ADMIN')) {
    throw new HttpError(404, 'Order not found');
  }
  return order;
}

export async function showOrder(req: Request, res: Response) {
  res.json(await ownOrder(req));
}

export async function downloadInvoice(req: Request, res: Response) {
  const order = await ownOrder(req);
  const file = path.join(uploadDir, `invoice-${order.id}.pdf`);
  await access(file).catch(() => {
    throw new HttpError(404, 'No invoice yet');
  });
  res.type('application/pdf');
  await pipeline(createReadStream(file), res);
}
