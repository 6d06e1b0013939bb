import { useEffect, useRef, useState } from 'react';
import { Link } from 'react-router-dom';
import { useShop } from '../context/ShopContext';
import { SearchBox } from './SearchBox';

const links = [
  { to: '/', label: 'Shop' },
  { to: '/orders', label: 'Orders' },
  { to: '/checkout', label: 'Checkout' },
  { to: '/admin', label: 'Admin' },
];
const currencies = ['EUR', 'USD', 'GBP'];

export function Header() {
  const { cartCount, currency, setCurrency } = useShop();
  const [compact, setCompact] = useState(false);
  const top = useRef<HTMLDivElement>(null);

  useEffect(() => {
    const observer = new IntersectionObserver(([entry]) => setCompact(!entry.isIntersecting));
    if (top.current) observer.observe(top.current);
    return () => observer.disconnect();
  }, []);

  return (
    <>
      <div ref={top} style={{ height: 80, position: 'absolute', top: 0 }} />
      <header className={compact ? 'header compact' : 'header'}>
        <nav>
          {links.map((link) => (
            <Link key={link.to} to={link.to}>
              {link.label}
            </Link>
          ))}
        </nav>
        <SearchBox />
        <select value={currency} onChange={(event) => setCurrency(event.target.value)}>
          {currencies.map((code) => (
            <option key={code}>{code}</option>
          ))}
        </select>
        <span>{cartCount} in cart</span>
      </header>
    </>
  );
}
