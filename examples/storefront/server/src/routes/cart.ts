import { Router } from 'express';
import { prisma } from '../db.js';
import { requireUser } from '../middleware/auth.js';

export const cartRouter = Router();
cartRouter.use(requireUser);

cartRouter.get('/', async (req, res) => {
  const items = await prisma.cartItem.findMany({
    where: { userId: req.session.userId },
    take: 100,
    include: { product: true },
  });
  res.json({ items });
});

cartRouter.post('/items', async (req, res) => {
  const userId = req.session.userId!;
  const productId = Number(req.body.productId);
  const quantity = Number(req.body.quantity);
  const item = await prisma.cartItem.upsert({
    where: { userId_productId: { userId, productId } },
    create: { userId, productId, quantity },
    update: { quantity: { increment: quantity } },
  });
  res.status(201).json(item);
});

cartRouter.delete('/items/:productId', async (req, res) => {
  await prisma.cartItem.deleteMany({
    where: { userId: req.session.userId, productId: Number(req.params.productId) },
  });
  res.status(204).end();
});
