import type { Request, Response } from 'express';
import { LRUCache } from 'lru-cache';
import { HttpError } from '../lib/errors.js';
import * as input from '../middleware/input.js';
import { productRepository } from '../repositories/productRepository.js';
import { shippingRate } from '../services/shippingRates.js';

const average = (product: { ratingSum: number; ratingCount: number }) =>
  product.ratingCount > 0 ? product.ratingSum / product.ratingCount : null;

export async function listProducts(req: Request, res: Response) {
  const { before, size } = input.pageQuery(48).parse(req.query);
  const items = await productRepository.page(before, size);
  res.json({
    items: items.map((item) => ({ ...item, rating: average(item) })),
    next: items.length === size ? items[items.length - 1].id : null,
  });
}

export async function searchProducts(req: Request, res: Response) {
  const { q, limit } = input.searchQuery.parse(req.query);
  res.json({ items: await productRepository.search(q, limit) });
}

async function loadNewest() {
  const [products, categories] = await Promise.all([productRepository.newest(), productRepository.categories()]);
  return { products, categories };
}

const newest = new LRUCache<'all', Awaited<ReturnType<typeof loadNewest>>>({
  max: 1,
  ttl: 30_000,
  fetchMethod: loadNewest,
});

export async function newestProducts(_req: Request, res: Response) {
  res.json(await newest.fetch('all'));
}

export async function showProduct(req: Request, res: Response) {
  const { zip } = input.zipQuery.parse(req.query);
  const product = await productRepository.findBySlug(req.params.slug);
  if (!product) throw new HttpError(404, 'Product not found');

  const [reviews, related, shippingCents] = await Promise.all([
    productRepository.reviewsOf(product.id),
    productRepository.popular(product.categoryId, 6),
    shippingRate(zip),
  ]);
  res.json({ ...product, rating: average(product), reviews, related, shippingCents });
}

export async function productRating(req: Request, res: Response) {
  const { id } = input.idParam.parse(req.params);
  const product = await productRepository.ratingOf(id);
  if (!product) throw new HttpError(404, 'Product not found');
  res.json({ average: average(product), count: product.ratingCount });
}

export async function recommendations(req: Request, res: Response) {
  const { category } = input.recommendQuery.parse(req.query);
  res.json(await productRepository.popular(category, 10));
}

export async function addReview(req: Request, res: Response) {
  const { id } = input.idParam.parse(req.params);
  const review = input.reviewBody.parse(req.body);
  const created = await productRepository.addReview({ ...review, productId: id, userId: req.session.userId! });
  res.status(201).json(created);
}
