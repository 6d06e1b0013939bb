import { useDeferredValue, useMemo, useState } from 'react';
import { VirtualList } from '../components/VirtualList';
import type { Customer } from '../lib/types';
import { usePages } from '../lib/usePages';

const customerKey = (customer: Customer) => customer.id;
const renderCustomer = (customer: Customer) => (
  <p>
    {customer.name} {customer.email} {customer._count.orders} orders
  </p>
);

export default function AdminCustomers() {
  const { rows, more, loadMore } = usePages<Customer>('admin-customers', '/admin/customers', 50);
  const [filter, setFilter] = useState('');
  const deferred = useDeferredValue(filter);

  const matching = useMemo(() => {
    const needle = deferred.toLowerCase();
    return rows.filter((customer) => customer.name.toLowerCase().includes(needle));
  }, [rows, deferred]);

  return (
    <main>
      <h1>Customers</h1>
      <input value={filter} onChange={(event) => setFilter(event.target.value)} placeholder="Filter" />
      <VirtualList rows={matching} rowHeight={40} rowKey={customerKey} renderRow={renderCustomer} />
      <button disabled={!more} onClick={() => loadMore()}>
        More customers
      </button>
    </main>
  );
}
