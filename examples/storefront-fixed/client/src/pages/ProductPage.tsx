import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from 'react-router-dom';
import { useShop } from '../context/ShopContext';
import { getJson } from '../lib/api';
import type { ProductDetails } from '../lib/types';

export function ProductPage() {
  const { slug } = useParams();
  const { addToCart } = useShop();
  const { data: product } = useQuery({
    queryKey: ['product', slug],
    queryFn: ({ signal }) => getJson<ProductDetails>(`/products/${slug}`, signal),
  });

  if (!product) return <p>Loading…</p>;

  return (
    <main>
      <h1>{product.name}</h1>
      <p>{product.description}</p>
      <pre>{product.specs}</pre>
      <button onClick={() => addToCart(product.id)}>Add to cart</button>
      <h2>Reviews</h2>
      {product.reviews.slice(0, 20).map((review) => (
        <blockquote key={review.id}>
          {review.rating}/5 {review.body}
        </blockquote>
      ))}
      <h2>You may also like</h2>
      {product.related.slice(0, 6).map((item) => (
        <p key={item.id}>
          <Link to={`/products/${item.slug}`}>{item.name}</Link>
        </p>
      ))}
    </main>
  );
}
