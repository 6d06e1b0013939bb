import { useEffect, useState } from 'react';
import { Link } from 'react-router-dom';
import { getJson } from '../lib/api';
import type { Product } from '../lib/types';

export function SearchBox() {
  const [term, setTerm] = useState('');
  const [hits, setHits] = useState<Product[]>([]);
  const filters = { q: term, limit: '10' };

  useEffect(() => {
    if (!term) return;
    getJson<Product[]>(`/products/search?${new URLSearchParams(filters)}`).then(setHits);
  }, [filters]);

  return (
    <div className="search">
      <input value={term} onChange={(event) => setTerm(event.target.value)} placeholder="Search" />
      {hits.slice(0, 10).map((hit) => (
        <Link key={hit.id} to={`/products/${hit.slug}`}>
          {hit.name}
        </Link>
      ))}
    </div>
  );
}
