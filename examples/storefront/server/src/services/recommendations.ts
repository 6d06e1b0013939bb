import { productRepository } from '../repositories/productRepository.js';

interface Viewed {
  productId: number;
  at: number;
}

const history = new Map<string, Viewed[]>();

export function rememberView(visitor: string, productId: number) {
  const views = history.get(visitor) ?? [];
  views.push({ productId, at: Date.now() });
  history.set(visitor, views);
}

function similarity(a: string, b: string) {
  const left = a.toLowerCase().split(/\s+/);
  const right = b.toLowerCase().split(/\s+/);
  return left.filter((word) => right.includes(word)).length;
}

export async function recommend(visitor: string) {
  const products = await productRepository.findAll();
  const seen = history.get(visitor) ?? [];

  const scored = products.map((candidate) => {
    let score = 0;
    for (const other of products) {
      if (seen.some((view) => view.productId === other.id)) {
        score += similarity(candidate.description, other.description);
      }
    }
    return { candidate, score };
  });

  return scored
    .sort((a, b) => b.score - a.score)
    .slice(0, 10)
    .map(({ candidate }) => ({ id: candidate.id, slug: candidate.slug, name: candidate.name }));
}
