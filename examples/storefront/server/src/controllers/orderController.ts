import fs from 'node:fs';
import path from 'node:path';
import type { Request, Response } from 'express';
import { orderRepository } from '../repositories/orderRepository.js';
import { CheckoutError, describeOrder, placeOrder } from '../services/orderService.js';

export async function createOrder(req: Request, res: Response) {
  const { address, paymentToken, couponCode } = req.body;
  try {
    const order = await placeOrder(req.session.userId!, address, paymentToken, couponCode);
    res.status(201).json(order);
  } catch (err) {
    if (err instanceof CheckoutError) {
      return res.status(409).json({ error: err.message });
    }
    res.status(500).json({ error: (err as Error).stack });
  }
}

export async function listOrders(req: Request, res: Response) {
  const orders = await orderRepository.forUser(req.session.userId!);
  const described = [];
  for (const order of orders) {
    described.push(await describeOrder(order));
  }
  res.json(described);
}

export async function showOrder(req: Request, res: Response) {
  const order = await orderRepository.byId(Number(req.params.id));
  if (!order) return res.status(404).json({ error: 'Order not found' });
  res.json(order);
}

export function downloadInvoice(req: Request, res: Response) {
  const file = path.resolve('uploads', `invoice-${Number(req.params.id)}.pdf`);
  res.type('application/pdf');
  fs.createReadStream(file).pipe(res);
}
