import { VirtualList } from '../components/VirtualList';
import type { OrderSummary } from '../lib/types';
import { usePages } from '../lib/usePages';

const orderKey = (order: OrderSummary) => order.id;

function OrderRow({ order }: { order: OrderSummary }) {
  const content = order.items.slice(0, 5).map((item) => `${item.quantity} × ${item.name}`);
  return (
    <section>
      <h2>
        #{order.id} {order.status} {order.total}
      </h2>
      <p>{content.join(', ')}</p>
    </section>
  );
}

const renderOrder = (order: OrderSummary) => <OrderRow order={order} />;

export function OrdersPage() {
  const { rows, more, loadMore } = usePages<OrderSummary>('orders', '/orders', 20);
  return (
    <main>
      <h1>Your orders</h1>
      <VirtualList rows={rows} rowHeight={110} rowKey={orderKey} renderRow={renderOrder} />
      <button disabled={!more} onClick={() => loadMore()}>
        Older orders
      </button>
    </main>
  );
}
