import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { getJson } from '../lib/api';

interface AdminOrder {
  id: number;
  status: string;
  totalCents: number;
  createdAt: string;
}

export function AdminOrders() {
  const [page, setPage] = useState(1);
  const { data: orders = [] } = useQuery({
    queryKey: ['admin-orders', page],
    queryFn: () => getJson<AdminOrder[]>(`/admin/orders?page=${page}&size=50`),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });

  return (
    <main>
      <h1>Orders</h1>
      <a href="/api/admin/orders/export.csv">Export CSV</a>
      <table>
        <tbody>
          {orders.map((order) => (
            <tr key={order.id}>
              <td>{order.id}</td>
              <td>{order.status}</td>
              <td>{(order.totalCents / 100).toFixed(2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <button onClick={() => setPage(page + 1)}>Next</button>
    </main>
  );
}
