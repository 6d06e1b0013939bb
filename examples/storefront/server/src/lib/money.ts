const formatters = new Map<string, Intl.NumberFormat>();
const supported = ['EUR', 'USD', 'GBP'] as const;
export type Currency = (typeof supported)[number];

export function formatMoney(cents: number, currency: Currency = 'EUR'): string {
  let formatter = formatters.get(currency);
  if (!formatter) {
    formatter = new Intl.NumberFormat('en', { style: 'currency', currency });
    formatters.set(currency, formatter);
  }
  return formatter.format(cents / 100);
}
