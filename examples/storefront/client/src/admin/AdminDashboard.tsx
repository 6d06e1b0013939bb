import { useEffect, useState } from 'react';
import { getJson } from '../lib/api';

interface Totals {
  customers: number;
  products: number;
  pending: number;
  paid: number;
  revenueCents: number;
}

export function AdminDashboard() {
  const [totals, setTotals] = useState<Totals>();
  const [best, setBest] = useState<Array<{ name: string; sold: number }>>([]);

  useEffect(() => {
    const load = async () => {
      const nextTotals = await getJson<Totals>('/admin/dashboard');
      const nextBest = await getJson<Array<{ name: string; sold: number }>>('/admin/best-sellers');
      setTotals(nextTotals);
      setBest(nextBest);
    };
    load();
    setInterval(load, 5000);
  }, []);

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
