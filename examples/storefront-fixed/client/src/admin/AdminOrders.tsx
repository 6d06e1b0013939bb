import { VirtualList } from '../components/VirtualList';
import type { AdminOrder } from '../lib/types';
import { usePages } from '../lib/usePages';

const orderKey = (order: AdminOrder) => order.id;
const renderOrder = (order: AdminOrder) => (
  <p>
    {order.id} {order.status} {(order.totalCents / 100).toFixed(2)}
  </p>
);

export default function AdminOrders() {
  const { rows, more, loadMore } = usePages<AdminOrder>('admin-orders', '/admin/orders', 50);
  return (
    <main>
      <h1>Orders</h1>
      <a href="/api/admin/orders/export.csv">Export CSV</a>
      <VirtualList rows={rows} rowHeight={40} rowKey={orderKey} renderRow={renderOrder} />
      <button disabled={!more} onClick={() => loadMore()}>
        Next
      </button>
    </main>
  );
}
