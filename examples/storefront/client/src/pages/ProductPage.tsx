import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useParams } from 'react-router-dom';
import { useShop } from '../context/ShopContext';
import { getJson, postJson } from '../lib/api';
import type { Product } from '../lib/types';

interface Recommendation {
  id: number;
  slug: string;
  name: string;
}

export function ProductPage() {
  const { slug } = useParams();
  const { addToCart } = useShop();
  const [recommended, setRecommended] = useState<Recommendation[]>([]);
  const { data: product } = useQuery({
    queryKey: ['product', slug],
    queryFn: () => getJson<Product>(`/products/${slug}`),
    staleTime: 60_000,
  });

  useEffect(() => {
    const controller = new AbortController();
    fetch('/api/products/recommended', { signal: controller.signal })
      .then((response) => response.json())
      .then(setRecommended)
      .catch(() => undefined);
    return () => controller.abort();
  }, [slug]);

  if (!product) return <p>Loading…</p>;

  return (
    <main>
      <h1>{product.name}</h1>
      <p>{product.description}</p>
      <pre>{product.specs}</pre>
      <button
        onClick={() => {
          addToCart(product);
          postJson('/cart/items', { productId: product.id, quantity: 1 });
        }}
      >
        Add to cart
      </button>
      <h2>Reviews</h2>
      {product.reviews.slice(0, 20).map((review) => (
        <blockquote key={review.id}>
          {review.rating}/5 {review.body}
        </blockquote>
      ))}
      <h2>You may also like</h2>
      {recommended.slice(0, 10).map((item) => (
        <p key={item.id}>{item.name}</p>
      ))}
    </main>
  );
}
