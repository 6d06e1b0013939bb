import { memo } from 'react';
import { Link } from 'react-router-dom';
import type { ProductSummary } from '../lib/types';

interface Props {
  product: ProductSummary;
  currency: string;
  onAdd: (productId: number) => void;
}

export const ProductCard = memo(function ProductCard({ product, currency, onAdd }: Props) {
  return (
    <article>
      {product.imageUrl && <img src={product.imageUrl} alt={product.name} loading="lazy" />}
      <Link to={`/products/${product.slug}`}>{product.name}</Link>
      <span>
        {(product.priceCents / 100).toFixed(2)} {currency}
      </span>
      <small>{product.rating ? `${product.rating.toFixed(1)} (${product.ratingCount})` : 'No reviews yet'}</small>
      <button onClick={() => onAdd(product.id)}>Add to cart</button>
    </article>
  );
});
