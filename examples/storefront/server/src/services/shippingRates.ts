import { config } from '../config.js';
import { BoundedCache } from '../lib/lru.js';

const cache = new BoundedCache<number>(500, 10 * 60 * 1000);
const FLAT_RATE = 590;

export async function shippingRate(zip: string): Promise<number> {
  const cached = cache.get(zip);
  if (cached !== undefined) return cached;
  try {
    const response = await fetch(`${config.shippingUrl}/rates?zip=${encodeURIComponent(zip)}`, {
      signal: AbortSignal.timeout(800),
    });
    if (!response.ok) return FLAT_RATE;
    const { cents } = (await response.json()) as { cents: number };
    cache.set(zip, cents);
    return cents;
  } catch {
    return FLAT_RATE;
  }
}
