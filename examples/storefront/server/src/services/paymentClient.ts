import axios from 'axios';
import { config } from '../config.js';
import { withRetry } from '../lib/retry.js';

const http = axios.create({
  baseURL: config.paymentUrl,
  headers: { Authorization: `Bearer ${config.paymentKey}` },
});

export interface Charge {
  id: string;
  status: string;
}

export async function chargeCard(amountCents: number, token: string): Promise<Charge> {
  return withRetry(async () => {
    const { data } = await http.post<Charge>('/charges', { amount: amountCents, source: token });
    return data;
  });
}
