import type { Request, Response } from 'express';
import { prisma } from '../db.js';
import { productRepository } from '../repositories/productRepository.js';
import { recommend, rememberView } from '../services/recommendations.js';
import { shippingRate } from '../services/shippingRates.js';

export async function listProducts(_req: Request, res: Response) {
  const products = await productRepository.findAll();
  res.json(products);
}

export async function searchProducts(req: Request, res: Response) {
  const term = String(req.query.q ?? '');
  const limit = Number(req.query.limit ?? 20);
  res.json(await productRepository.search(term, limit));
}

export async function newestProducts(_req: Request, res: Response) {
  try {
    const [products, categories] = await Promise.all([productRepository.newest(), productRepository.categories()]);
    res.json({ products, categories });
  } catch {
    res.status(503).json({ error: 'Catalog is unavailable' });
  }
}

export async function showProduct(req: Request, res: Response) {
  const product = await productRepository.findBySlug(req.params.slug);
  if (!product) return res.status(404).json({ error: 'Product not found' });

  const reviews = await productRepository.reviewsOf(product.id);
  const rating = await productRepository.ratingOf(product.id);
  const related = await productRepository.relatedTo(product.categoryId, product.id);
  const shippingCents = await shippingRate(String(req.query.zip ?? '10115'));

  rememberView(req.sessionID, product.id);
  res.json({ ...product, reviews, rating: rating._avg.rating, related, shippingCents });
}

export async function productRating(req: Request, res: Response) {
  const rating = await productRepository.ratingOf(Number(req.params.id));
  res.json({ average: rating._avg.rating, count: rating._count });
}

export async function recommendations(req: Request, res: Response) {
  res.json(await recommend(req.sessionID));
}

export async function addReview(req: Request, res: Response) {
  const productId = Number(req.params.id);
  const userId = req.session.userId!;
  const already = await prisma.review.findFirst({ where: { productId, userId } });
  if (already) return res.status(409).json({ error: 'You already reviewed this product' });

  const review = await prisma.review.create({
    data: { productId, userId, rating: Number(req.body.rating), body: String(req.body.body) },
  });
  res.status(201).json(review);
}
