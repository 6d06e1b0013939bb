import { Router } from 'express';
import { prisma } from '../db.js';
import { requireUser } from '../middleware/auth.js';
import { productRepository } from '../repositories/productRepository.js';

export const wishlistRouter = Router();
wishlistRouter.use(requireUser);

wishlistRouter.get('/', async (req, res) => {
  const entries = await prisma.wishlistItem.findMany({ where: { userId: req.session.userId } });
  const products = await Promise.all(entries.map((entry) => productRepository.findById(entry.productId)));
  res.json(products.filter(Boolean));
});

wishlistRouter.post('/:productId', async (req, res) => {
  const userId = req.session.userId!;
  const productId = Number(req.params.productId);
  await prisma.wishlistItem.upsert({
    where: { userId_productId: { userId, productId } },
    create: { userId, productId },
    update: {},
  });
  res.status(204).end();
});
