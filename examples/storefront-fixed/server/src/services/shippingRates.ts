import { LRUCache } from 'lru-cache';
import CircuitBreaker from 'opossum';
import { config } from '../config.js';
import { requestJson } from '../lib/http.js';

const FLAT_RATE = 590;

async function fetchRate(zip: string): Promise<number> {
  const { cents } = await requestJson<{ cents: number }>({
    service: 'shipping',
    url: `${config.shippingUrl}/rates?zip=${encodeURIComponent(zip)}`,
    timeoutMs: 400,
  });
  return cents;
}

const breaker = new CircuitBreaker(fetchRate, {
  timeout: 500,
  errorThresholdPercentage: 50,
  volumeThreshold: 10,
  resetTimeout: 10_000,
  capacity: 30,
});
breaker.fallback(() => FLAT_RATE);

const rates = new LRUCache<string, number>({
  max: 5_000,
  ttl: 10 * 60 * 1000,
  fetchMethod: (zip) => breaker.fire(zip),
});

export async function shippingRate(zip: string): Promise<number> {
  return (await rates.fetch(zip)) ?? FLAT_RATE;
}
