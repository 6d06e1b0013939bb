import { createContext, useContext, useEffect, useState, type ReactNode } from 'react';
import { getJson } from '../lib/api';
import type { Product } from '../lib/types';

interface Shop {
  products: Product[];
  cart: Product[];
  addToCart: (product: Product) => void;
  currency: string;
  setCurrency: (currency: string) => void;
}

const ShopContext = createContext<Shop | null>(null);

export function ShopProvider({ children }: { children: ReactNode }) {
  const [products, setProducts] = useState<Product[]>([]);
  const [cart, setCart] = useState<Product[]>(JSON.parse(localStorage.getItem('cart') ?? '[]'));
  const [currency, setCurrency] = useState('EUR');

  useEffect(() => {
    getJson<Product[]>('/products').then((all) => {
      setProducts(all);
      localStorage.setItem('products', JSON.stringify(all));
    });
  }, []);

  const addToCart = (product: Product) => {
    const next = [...cart, product];
    setCart(next);
    localStorage.setItem('cart', JSON.stringify(next));
  };

  return (
    <ShopContext.Provider value={{ products, cart, addToCart, currency, setCurrency }}>
      {children}
    </ShopContext.Provider>
  );
}

export function useShop() {
  const shop = useContext(ShopContext);
  if (!shop) throw new Error('useShop outside of ShopProvider');
  return shop;
}
