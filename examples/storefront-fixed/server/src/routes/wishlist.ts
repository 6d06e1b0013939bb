import { Router } from 'express';
import { prisma } from '../db.js';
import { requireUser } from '../middleware/auth.js';
import * as input from '../middleware/input.js';
import { writeLimit } from '../middleware/limits.js';

export const wishlistRouter = Router();
wishlistRouter.use(requireUser);

wishlistRouter.get('/', async (req, res) => {
  const entries = await prisma.wishlistItem.findMany({
    where: { userId: req.session.userId },
    take: 100,
    select: { product: { select: { id: true, slug: true, name: true, priceCents: true } } },
  });
  res.json({ items: entries.map((entry) => entry.product) });
});

wishlistRouter.post('/:productId', writeLimit, async (req, res) => {
  const userId = req.session.userId!;
  const { productId } = input.productParam.parse(req.params);
  await prisma.wishlistItem.upsert({
    where: { userId_productId: { userId, productId } },
    create: { userId, productId },
    update: {},
  });
  res.status(204).end();
});
