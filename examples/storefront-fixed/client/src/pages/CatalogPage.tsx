import { useMemo, useState } from 'react';
import { CountdownBadge } from '../components/CountdownBadge';
import { ProductCard } from '../components/ProductCard';
import { VirtualList } from '../components/VirtualList';
import { useShop } from '../context/ShopContext';
import type { ProductSummary } from '../lib/types';
import { usePages } from '../lib/usePages';

const SALE_ENDS = Date.UTC(2030, 0, 1);
const productKey = (product: ProductSummary) => product.id;

export function CatalogPage() {
  const { addToCart, currency } = useShop();
  const { rows, more, loadMore } = usePages<ProductSummary>('products', '/products', 24);
  const [order, setOrder] = useState<'name' | 'price'>('name');

  const visible = useMemo(
    () =>
      rows
        .filter((product) => product.stock > 0)
        .sort((a, b) => (order === 'price' ? a.priceCents - b.priceCents : a.name.localeCompare(b.name))),
    [rows, order],
  );

  return (
    <main>
      <h1>
        Our products <CountdownBadge until={SALE_ENDS} />
      </h1>
      <button onClick={() => setOrder(order === 'name' ? 'price' : 'name')}>Sort by {order}</button>
      <VirtualList
        rows={visible}
        rowHeight={160}
        rowKey={productKey}
        renderRow={(product) => <ProductCard product={product} currency={currency} onAdd={addToCart} />}
      />
      <button disabled={!more} onClick={() => loadMore()}>
        More products
      </button>
    </main>
  );
}
