import { useEffect, useState } from 'react';
import { getJson } from '../lib/api';
import type { Customer } from '../lib/types';

export function AdminCustomers() {
  const [customers, setCustomers] = useState<Customer[]>([]);
  const [filter, setFilter] = useState('');

  useEffect(() => {
    getJson<Customer[]>('/admin/customers?limit=100000').then(setCustomers);
  }, []);

  const matching = customers.filter((customer) => new RegExp(filter, 'i').test(customer.name));

  return (
    <main>
      <h1>Customers</h1>
      <input value={filter} onChange={(event) => setFilter(event.target.value)} placeholder="Filter" />
      <table>
        <tbody>
          {matching.map((customer, index) => (
            <tr key={index}>
              <td>{customer.name}</td>
              <td>{customer.email}</td>
              <td>{customer.orders.length} orders</td>
            </tr>
          ))}
        </tbody>
      </table>
    </main>
  );
}
