import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, type FormEvent } from 'react';
import { useShop } from '../context/ShopContext';
import { postJson } from '../lib/api';

export function CheckoutPage() {
  const { cartCount } = useShop();
  const queryClient = useQueryClient();
  const requestKey = useRef(crypto.randomUUID());

  const order = useMutation({
    mutationFn: (fields: Record<string, FormDataEntryValue>) =>
      postJson<{ id: number }>(
        '/orders',
        { ...fields, paymentToken: 'tok_card' },
        { 'idempotency-key': requestKey.current },
      ),
    onSuccess: async () => {
      requestKey.current = crypto.randomUUID();
      await Promise.all([
        queryClient.invalidateQueries({ queryKey: ['cart'] }),
        queryClient.invalidateQueries({ queryKey: ['orders'] }),
      ]);
    },
  });

  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    order.mutate(Object.fromEntries(new FormData(event.currentTarget)));
  };

  return (
    <form onSubmit={submit}>
      <h1>Checkout</h1>
      <p>{cartCount} items</p>
      <input name="address" placeholder="Address" />
      <input name="couponCode" placeholder="Coupon" />
      <button disabled={order.isPending}>Pay now</button>
      {order.isError && <p>The payment did not go through, please try again.</p>}
      {order.data && <p>Thank you, your order is #{order.data.id}</p>}
    </form>
  );
}
