import { prisma } from '../db.js';

const card = {
  id: true,
  slug: true,
  name: true,
  priceCents: true,
  stock: true,
  imageUrl: true,
  ratingSum: true,
  ratingCount: true,
} as const;

export const productRepository = {
  page(before: number | undefined, size: number) {
    return prisma.product.findMany({
      where: before ? { id: { lt: before } } : {},
      orderBy: { id: 'desc' },
      take: Math.min(size, 48),
      select: card,
    });
  },

  findBySlug(slug: string) {
    return prisma.product.findUnique({ where: { slug } });
  },

  ratingOf(id: number) {
    return prisma.product.findUnique({ where: { id }, select: { ratingSum: true, ratingCount: true } });
  },

  search(term: string, limit: number) {
    return prisma.product.findMany({
      where: { name: { contains: term, mode: 'insensitive' } },
      take: Math.min(limit, 20),
      select: card,
    });
  },

  newest() {
    return prisma.product.findMany({
      select: { id: true, slug: true, name: true, priceCents: true },
      orderBy: { id: 'desc' },
      take: 8,
    });
  },

  categories() {
    return prisma.category.findMany({ orderBy: { name: 'asc' }, take: 50 });
  },

  popular(categoryId: number | undefined, limit: number) {
    return prisma.product.findMany({
      where: categoryId ? { categoryId } : {},
      orderBy: categoryId ? [{ ratingCount: 'desc' }, { id: 'desc' }] : { id: 'desc' },
      take: Math.min(limit, 10),
      select: { id: true, slug: true, name: true },
    });
  },

  reviewsOf(productId: number) {
    return prisma.review.findMany({
      where: { productId },
      orderBy: { id: 'desc' },
      take: 20,
      select: { id: true, rating: true, body: true, user: { select: { name: true } } },
    });
  },

  async addReview(review: { productId: number; userId: number; rating: number; body: string }) {
    const [created] = await prisma.$transaction([
      prisma.review.create({ data: review }),
      prisma.product.update({
        where: { id: review.productId },
        data: { ratingSum: { increment: review.rating }, ratingCount: { increment: 1 } },
        select: { id: true },
      }),
    ]);
    return created;
  },

  setPrices(ids: number[], prices: number[]) {
    return prisma.$executeRaw`
      UPDATE "Product" p SET "priceCents" = c.price
        FROM unnest(${ids}::int[], ${prices}::int[]) AS c(id, price)
       WHERE p."id" = c.id`;
  },

  setImage(id: number, imageUrl: string) {
    return prisma.product.update({ where: { id }, data: { imageUrl }, select: { id: true, imageUrl: true } });
  },
};
