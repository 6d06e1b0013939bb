const TIMEOUT_MS = 10_000;
const UPLOAD_TIMEOUT_MS = 60_000;

async function send<T>(url: string, init: RequestInit, timeoutMs = TIMEOUT_MS): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const response = await fetch(`/api${url}`, {
    credentials: 'same-origin',
    ...init,
    signal: init.signal ? AbortSignal.any([init.signal, deadline]) : deadline,
  });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return (response.status === 204 ? undefined : await response.json()) as T;
}

export function getJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  return send<T>(url, { signal });
}

export function postJson<T>(url: string, body: unknown, headers: Record<string, string> = {}): Promise<T> {
  return send<T>(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
}

export function postForm<T>(url: string, form: FormData): Promise<T> {
  return send<T>(url, { method: 'POST', body: form }, UPLOAD_TIMEOUT_MS);
}
