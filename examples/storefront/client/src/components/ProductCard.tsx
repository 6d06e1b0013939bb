import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router-dom';
import { useShop } from '../context/ShopContext';
import { getJson } from '../lib/api';
import type { Product } from '../lib/types';

export function ProductCard({ product }: { product: Product }) {
  const { addToCart, currency } = useShop();
  const { data: rating } = useQuery({
    queryKey: ['rating', product.id],
    queryFn: () => getJson<{ average: number | null; count: number }>(`/products/${product.id}/rating`),
  });

  return (
    <article>
      {product.imageUrl && <img src={product.imageUrl} alt={product.name} loading="lazy" />}
      <Link to={`/products/${product.slug}`}>{product.name}</Link>
      <span>
        {(product.priceCents / 100).toFixed(2)} {currency}
      </span>
      <small>{rating?.average ? `${rating.average.toFixed(1)} (${rating.count})` : 'No reviews yet'}</small>
      <button onClick={() => addToCart(product)}>Add to cart</button>
    </article>
  );
}
