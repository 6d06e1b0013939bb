import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router-dom';
import { getJson } from '../lib/api';
import { useDebounced } from '../lib/useDebounced';

interface Hit {
  id: number;
  slug: string;
  name: string;
}

export function SearchBox() {
  const [term, setTerm] = useState('');
  const settled = useDebounced(term.trim(), 300);
  const { data } = useQuery({
    queryKey: ['search', settled],
    queryFn: ({ signal }) =>
      getJson<{ items: Hit[] }>(`/products/search?limit=10&q=${encodeURIComponent(settled)}`, signal),
    enabled: settled.length >= 3,
    placeholderData: keepPreviousData,
  });

  return (
    <div className="search">
      <input value={term} onChange={(event) => setTerm(event.target.value)} placeholder="Search" />
      {settled.length >= 3 &&
        data?.items.slice(0, 10).map((hit) => (
          <Link key={hit.id} to={`/products/${hit.slug}`}>
            {hit.name}
          </Link>
        ))}
    </div>
  );
}
