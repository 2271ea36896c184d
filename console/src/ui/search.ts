/** The address is the only place a view's state lives. Values are plain text: ?severity=critical,high&sort=-age */
export const parseAddress = (search: string): Record<string, string> => Object.fromEntries(new URLSearchParams(search));
export function formatAddress(search: Record<string, unknown>): string {
  const out = new URLSearchParams();
  for (const [k, v] of Object.entries(search)) {
    if (v === undefined || v === null || v === '' || (Array.isArray(v) && v.length === 0)) continue;
    out.set(k, Array.isArray(v) ? v.join(',') : String(v));
  }
  const s = out.toString().replaceAll('%2C', ',');
  return s ? `?${s}` : '';
}

export type Parser<T> = (raw: unknown) => T | undefined;
export const text: Parser<string> = (raw) => (raw === undefined || raw === null || raw === '' ? undefined : String(raw));
export const oneOf = <const T extends string>(values: readonly T[]): Parser<T> => (raw) => values.find((v) => v === raw);
export const many = <const T extends string>(values: readonly T[]): Parser<T[]> => (raw) => {
  const asked = Array.isArray(raw) ? raw.map(String) : typeof raw === 'string' ? raw.split(',') : [];
  const known = values.filter((v) => asked.includes(v));
  return known.length ? known : undefined;
};
export type Spec = Record<string, Parser<unknown>>;
export type Parsed<S extends Spec> = { [K in keyof S]: ReturnType<S[K]> };
/** What the address doesn't say, or says wrongly, is undefined. */
export function parse<S extends Spec>(spec: S, raw: Record<string, unknown>): Parsed<S> {
  return Object.fromEntries(Object.entries(spec).map(([k, parser]) => [k, parser(raw[k])])) as Parsed<S>;
}
