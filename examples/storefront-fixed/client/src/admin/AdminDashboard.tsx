import { useQueries } from '@tanstack/react-query';
import { getJson } from '../lib/api';

interface Totals {
  customers: number;
  pending: number;
  revenueCents: number;
}

export default function AdminDashboard() {
  const [{ data: totals }, { data: best = [] }] = useQueries({
    queries: [
      {
        queryKey: ['admin-dashboard'],
        queryFn: ({ signal }: { signal: AbortSignal }) => getJson<Totals>('/admin/dashboard', signal),
      },
      {
        queryKey: ['admin-best-sellers'],
        queryFn: ({ signal }: { signal: AbortSignal }) =>
          getJson<Array<{ name: string; sold: number }>>('/admin/best-sellers', signal),
      },
    ],
  });

  if (!totals) return <p>Loading…</p>;

  return (
    <main>
      <h1>Dashboard</h1>
      <p>{totals.customers} customers</p>
      <p>{totals.pending} open orders</p>
      <p>{(totals.revenueCents / 100).toFixed(2)} revenue</p>
      <ol>
        {best.slice(0, 10).map((row) => (
          <li key={row.name}>
            {row.name}: {row.sold}
          </li>
        ))}
      </ol>
    </main>
  );
}
