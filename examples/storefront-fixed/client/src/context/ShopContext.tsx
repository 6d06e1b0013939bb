import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { createContext, useContext, useMemo, useState, type ReactNode } from 'react';
import { getJson, postJson } from '../lib/api';
import type { CartItem } from '../lib/types';

interface Shop {
  cartCount: number;
  addToCart: (productId: number) => void;
  currency: string;
  setCurrency: (currency: string) => void;
}

const ShopContext = createContext<Shop | null>(null);

export function ShopProvider({ children }: { children: ReactNode }) {
  const queryClient = useQueryClient();
  const [currency, setCurrency] = useState('EUR');
  const { data: cartCount = 0 } = useQuery({
    queryKey: ['cart'],
    queryFn: ({ signal }) => getJson<{ items: CartItem[] }>('/cart', signal),
    select: (cart) => cart.items.length,
    retry: false,
  });
  const { mutate: addToCart } = useMutation({
    mutationFn: (productId: number) => postJson('/cart/items', { productId, quantity: 1 }),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['cart'] }),
  });

  const shop = useMemo(
    () => ({ cartCount, addToCart, currency, setCurrency }),
    [cartCount, addToCart, currency],
  );
  return <ShopContext.Provider value={shop}>{children}</ShopContext.Provider>;
}

export function useShop() {
  const shop = useContext(ShopContext);
  if (!shop) throw new Error('useShop outside of ShopProvider');
  return shop;
}
