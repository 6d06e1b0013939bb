import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useShop } from '../context/ShopContext';
import { postJson } from '../lib/api';

export function CheckoutPage() {
  const { cart } = useShop();
  const queryClient = useQueryClient();
  const [address, setAddress] = useState('');
  const [couponCode, setCouponCode] = useState('');

  const order = useMutation({
    mutationFn: () => postJson<{ id: number }>('/orders', { address, couponCode, paymentToken: 'tok_card' }),
    retry: 3,
    retryDelay: 500,
    onSuccess: () => queryClient.invalidateQueries(),
  });

  return (
    <main>
      <h1>Checkout</h1>
      <p>{cart.length} items</p>
      <input value={address} onChange={(event) => setAddress(event.target.value)} placeholder="Address" />
      <input value={couponCode} onChange={(event) => setCouponCode(event.target.value)} placeholder="Coupon" />
      <button disabled={order.isPending} onClick={() => order.mutate()}>
        Pay now
      </button>
      {order.data && <p>Thank you, your order is #{order.data.id}</p>}
    </main>
  );
}
