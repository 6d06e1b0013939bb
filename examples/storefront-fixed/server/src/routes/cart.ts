import { Router } from 'express';
import { prisma } from '../db.js';
import { requireUser } from '../middleware/auth.js';
import * as input from '../middleware/input.js';
import { writeLimit } from '../middleware/limits.js';

export const cartRouter = Router();
cartRouter.use(requireUser);

cartRouter.get('/', async (req, res) => {
  const items = await prisma.cartItem.findMany({
    where: { userId: req.session.userId },
    take: 100,
    select: { productId: true, quantity: true, product: { select: { name: true, slug: true, priceCents: true } } },
  });
  res.json({ items });
});

cartRouter.post('/items', writeLimit, async (req, res) => {
  const userId = req.session.userId!;
  const { productId, quantity } = input.cartBody.parse(req.body);
  const item = await prisma.cartItem.upsert({
    where: { userId_productId: { userId, productId } },
    create: { userId, productId, quantity },
    update: { quantity: { increment: quantity } },
  });
  res.status(201).json(item);
});

cartRouter.delete('/items/:productId', writeLimit, async (req, res) => {
  const { productId } = input.productParam.parse(req.params);
  await prisma.cartItem.deleteMany({ where: { userId: req.session.userId, productId } });
  res.status(204).end();
});
