import { describe, expect, it } from 'vitest';
import { formatAddress, many, oneOf, parse, parseAddress, text } from './search';

const spec = { q: text, tier: oneOf(['T1', 'T2']), severity: many(['critical', 'high', 'low']) };
describe('the address', () => {
  it('is read as plain text', () => expect(parseAddress('?q=123&a=true')).toEqual({ q: '123', a: 'true' }));
  it('is written without empty values, lists with commas', () => {
    expect(formatAddress({ q: 'a b', severity: ['critical', 'high'], none: undefined, empty: '', list: [] })).toBe('?q=a+b&severity=critical,high');
    expect(formatAddress({})).toBe('');
  });
  it('comes back as it was written', () => expect(parseAddress(formatAddress({ q: 'ü&=?', cursor: 'a/b+c==' }))).toEqual({ q: 'ü&=?', cursor: 'a/b+c==' }));
  it('gives only what the page knows', () => {
    expect(parse(spec, parseAddress('?q=x&tier=T9&severity=low,bogus,critical'))).toEqual({ q: 'x', tier: undefined, severity: ['critical', 'low'] });
    expect(parse(spec, {})).toEqual({ q: undefined, tier: undefined, severity: undefined });
  });
});
