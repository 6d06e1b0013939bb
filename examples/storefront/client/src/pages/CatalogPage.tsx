import { useState } from 'react';
import { CountdownBadge } from '../components/CountdownBadge';
import { ProductCard } from '../components/ProductCard';
import { useShop } from '../context/ShopContext';

const SALE_ENDS = Date.UTC(2030, 0, 1);

export function CatalogPage() {
  const { products } = useShop();
  const [order, setOrder] = useState<'name' | 'price'>('name');

  const visible = products
    .filter((product) => product.stock > 0)
    .sort((a, b) => (order === 'price' ? a.priceCents - b.priceCents : a.name.localeCompare(b.name)));

  return (
    <main>
      <h1>
        Our products <CountdownBadge until={SALE_ENDS} />
      </h1>
      <button onClick={() => setOrder(order === 'name' ? 'price' : 'name')}>Sort by {order}</button>
      <section className="grid">
        {visible.map((product) => (
          <ProductCard key={product.id} product={product} />
        ))}
      </section>
    </main>
  );
}
