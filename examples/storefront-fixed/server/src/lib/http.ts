import { setTimeout as delay } from 'node:timers/promises';

export class UpstreamError extends Error {
  constructor(
    public service: string,
    public status: number,
  ) {
    super(`${service} answered ${status}`);
  }
}

interface Call {
  service: string;
  url: string;
  timeoutMs: number;
  method?: 'GET' | 'POST';
  headers?: Record<string, string>;
  body?: unknown;
}

export async function requestJson<T>({ service, url, timeoutMs, method = 'GET', headers, body }: Call): Promise<T> {
  const response = await fetch(url, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new UpstreamError(service, response.status);
  }
  return (await response.json()) as T;
}

const MAX_ATTEMPTS = 2;
const BASE_DELAY_MS = 100;
const MAX_DELAY_MS = 1_000;

function isTransient(err: unknown): boolean {
  return !(err instanceof UpstreamError) || err.status === 429 || err.status >= 500;
}

/** Only for calls that are safe to repeat: reads, or writes that carry an idempotency key. */
export async function retryIdempotent<T>(task: () => Promise<T>): Promise<T> {
  let lastError: unknown;
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    try {
      return await task();
    } catch (err) {
      if (attempt === MAX_ATTEMPTS || !isTransient(err)) throw err;
      lastError = err;
      const backoff = Math.min(MAX_DELAY_MS, BASE_DELAY_MS * 2 ** attempt);
      await delay(backoff * (0.5 + Math.random() / 2));
    }
  }
  throw lastError;
}
