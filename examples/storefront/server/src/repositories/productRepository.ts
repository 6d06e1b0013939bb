import { prisma } from '../db.js';

export const productRepository = {
  findAll() {
    return prisma.product.findMany({
      include: { category: true, reviews: true },
      orderBy: { createdAt: 'desc' },
    });
  },

  findBySlug(slug: string) {
    return prisma.product.findUnique({ where: { slug } });
  },

  async findById(id: number) {
    return await prisma.product.findFirst({ where: { id } });
  },

  search(term: string, limit: number) {
    return prisma.product.findMany({
      where: {
        OR: [
          { name: { contains: term, mode: 'insensitive' } },
          { description: { contains: term, mode: 'insensitive' } },
        ],
      },
      take: limit,
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

  reviewsOf(productId: number) {
    return prisma.review.findMany({
      where: { productId },
      orderBy: { createdAt: 'desc' },
      take: 20,
      include: { user: { select: { name: true } } },
    });
  },

  ratingOf(productId: number) {
    return prisma.review.aggregate({
      where: { productId },
      _avg: { rating: true },
      _count: true,
    });
  },

  relatedTo(categoryId: number, productId: number) {
    return prisma.product.findMany({
      where: { categoryId, id: { not: productId } },
      take: 6,
    });
  },

  setStock(id: number, stock: number) {
    return prisma.product.update({ where: { id }, data: { stock } });
  },

  setImage(id: number, imageUrl: string) {
    return prisma.product.update({ where: { id }, data: { imageUrl } });
  },
};
