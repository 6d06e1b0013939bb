import { useQuery } from '@tanstack/react-query';
import { getJson } from '../lib/api';
import type { OrderSummary } from '../lib/types';

export function OrdersPage() {
  const { data: orders = [] } = useQuery({
    queryKey: ['orders'],
    queryFn: () => getJson<OrderSummary[]>('/orders'),
    refetchInterval: 3000,
  });

  return (
    <main>
      <h1>Your orders</h1>
      {orders.map((order) => (
        <section key={order.id}>
          <h2>
            #{order.id} {order.status} {order.total}
          </h2>
          <ul>
            {order.items.map((item) => (
              <li key={item.name}>
                {item.quantity} × {item.name}
              </li>
            ))}
          </ul>
        </section>
      ))}
    </main>
  );
}
