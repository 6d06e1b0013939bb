import { Link } from 'react-router-dom';
import { useShop } from '../context/ShopContext';
import { SearchBox } from './SearchBox';

const links = [
  { to: '/', label: 'Shop' },
  { to: '/orders', label: 'Orders' },
  { to: '/checkout', label: 'Checkout' },
  { to: '/admin', label: 'Admin' },
];

export function Header({ compact }: { compact: boolean }) {
  const { cart, currency, setCurrency } = useShop();
  return (
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
        {['EUR', 'USD', 'GBP'].map((code) => (
          <option key={code}>{code}</option>
        ))}
      </select>
      <span>{cart.length} in cart</span>
    </header>
  );
}
