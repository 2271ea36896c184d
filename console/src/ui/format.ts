import i18n from '../i18n';

const locale = () => (i18n.language === 'de' ? 'de-DE' : 'en-GB');
const cache = new Map<string, Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>();
function made<T extends Intl.NumberFormat | Intl.DateTimeFormat | Intl.RelativeTimeFormat>(kind: string, make: (locale: string) => T): T {
  const key = `${locale()} ${kind}`;
  const known = cache.get(key) ?? make(locale());
  cache.set(key, known);
  return known as T;
}

export const num = (n: number, digits = 0) => made(`n${digits}`, (l) => new Intl.NumberFormat(l, { maximumFractionDigits: digits })).format(n);
export const money = (n: number, currency: string) => made(`m${currency}`, (l) => new Intl.NumberFormat(l, { style: 'currency', currency })).format(n);
/** Money of the API: an integer of millionths. */
export const micros = (n: number, currency: string) => money(n / 1e6, currency);
/** "Nov 2026" of "2026-11". */
export const month = (period: string) => made('mo', (l) => new Intl.DateTimeFormat(l, { month: 'short', year: 'numeric', timeZone: 'UTC' })).format(new Date(`${period}-01T00:00:00Z`));
/** "Nov" of "2026-11", for axes. */
export const monthShort = (period: string) => made('ms', (l) => new Intl.DateTimeFormat(l, { month: 'short', timeZone: 'UTC' })).format(new Date(`${period}-01T00:00:00Z`));
/** A score of 0 to 100: 98.7 → "98.7%"; whole numbers lose the ".0". */
export const percent = (n: number, digits = 1) => made(`p${digits}`, (l) => new Intl.NumberFormat(l, { style: 'percent', maximumFractionDigits: digits })).format(n / 100);
/** For reading at a glance: whole, but 100% only when it is. */
export const score = (n: number) => percent(n < 100 ? Math.min(99, Math.round(n)) : 100, 0);
/** With its sign, and a real minus. */
export const signed = (n: number, digits = 1) => made(`s${digits}`, (l) => new Intl.NumberFormat(l, { maximumFractionDigits: digits, signDisplay: 'exceptZero' })).format(n).replace('-', '−');
export const bytes = (n: number) => {
  const step = n < 1e3 ? (['byte', 1] as const) : n < 1e6 ? (['kilobyte', 1e3] as const) : n < 1e9 ? (['megabyte', 1e6] as const) : (['gigabyte', 1e9] as const);
  return made(`b${step[0]}`, (l) => new Intl.NumberFormat(l, { style: 'unit', unit: step[0], unitDisplay: 'short', maximumFractionDigits: 1 })).format(n / step[1]);
};
export const date = (iso: string) => made('d', (l) => new Intl.DateTimeFormat(l, { dateStyle: 'medium' })).format(new Date(iso));
/** A calendar day of the API, "2026-11-03": the same day wherever it is read. */
export const day = (iso: string) => made('day', (l) => new Intl.DateTimeFormat(l, { dateStyle: 'medium', timeZone: 'UTC' })).format(new Date(iso));
/** "3 Nov", for axes. */
export const dayMonth = (at: number) => made('dm', (l) => new Intl.DateTimeFormat(l, { day: 'numeric', month: 'short' })).format(at);
export const exact = (iso: string) => made('e', (l) => new Intl.DateTimeFormat(l, { dateStyle: 'full', timeStyle: 'long' })).format(new Date(iso));
export const clock = (iso: string) => made('c', (l) => new Intl.DateTimeFormat(l, { dateStyle: 'short', timeStyle: 'medium' })).format(new Date(iso));
/** "14:32". */
export const time = (iso: string) => made('t', (l) => new Intl.DateTimeFormat(l, { timeStyle: 'short' })).format(new Date(iso));
/** "90 min", "4 h", "1 h 30 min". */
export const minutes = (n: number) => {
  const part = (v: number, unit: 'hour' | 'minute') => made(`u${unit}`, (l) => new Intl.NumberFormat(l, { style: 'unit', unit, unitDisplay: 'short' })).format(v);
  return [n >= 60 && part(Math.floor(n / 60), 'hour'), (n % 60 > 0 || n === 0) && part(n % 60, 'minute')].filter(Boolean).join(' ');
};

const STEPS = [['second', 60], ['minute', 60], ['hour', 24], ['day', 30.44], ['month', 12], ['year', Infinity]] as const;
/** "5 min ago", "in 3 days", "now" below ten seconds. */
export function relative(iso: string, now: number): string {
  let amount = (Date.parse(iso) - now) / 1000;
  const format = made('r', (l) => new Intl.RelativeTimeFormat(l.slice(0, 2), { numeric: 'auto', style: 'narrow' }));
  if (Math.abs(amount) < 10) return format.format(0, 'second');
  for (const [unit, size] of STEPS) {
    if (Math.abs(Math.round(amount)) < size) return format.format(Math.round(amount), unit);
    amount /= size;
  }
  return '';
}
/** An instant at the end of a picked day, as the API wants it. */
export const endOfDay = (picked: string) => new Date(`${picked}T23:59:59`).toISOString();
export const dayOf = (iso: string) => { const d = new Date(iso); return `${d.getFullYear()}-${String(d.getMonth() + 1).padStart(2, '0')}-${String(d.getDate()).padStart(2, '0')}`; };
export const slugify = (s: string) => s.toLowerCase().replaceAll('ä', 'ae').replaceAll('ö', 'oe').replaceAll('ü', 'ue').replaceAll('ß', 'ss').normalize('NFKD').replace(/[\u0300-\u036f]/g, '').replaceAll('&', ' and ').replace(/[^a-z0-9]+/g, '-').replace(/^-+|-+$/g, '').slice(0, 40).replace(/-+$/, '');
