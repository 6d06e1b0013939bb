import CircuitBreaker from 'opossum';
import { config } from '../config.js';
import { requestJson, retryIdempotent, UpstreamError } from '../lib/http.js';

export interface Charge {
  id: string;
  status: string;
}

function postCharge(amountCents: number, source: string, idempotencyKey: string): Promise<Charge> {
  return retryIdempotent(() =>
    requestJson<Charge>({
      service: 'payment',
      url: `${config.paymentUrl}/charges`,
      timeoutMs: 2_000,
      method: 'POST',
      headers: { authorization: `Bearer ${config.paymentKey}`, 'idempotency-key': idempotencyKey },
      body: { amount: amountCents, source },
    }),
  );
}

const breaker = new CircuitBreaker(postCharge, {
  timeout: 5_000,
  errorThresholdPercentage: 50,
  volumeThreshold: 10,
  resetTimeout: 10_000,
  capacity: 30,
  errorFilter: (err) => err instanceof UpstreamError && err.status < 500,
});

export function chargeCard(amountCents: number, source: string, idempotencyKey: string): Promise<Charge> {
  return breaker.fire(amountCents, source, idempotencyKey);
}
