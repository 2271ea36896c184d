import { MantineProvider } from '@mantine/core';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';
import '../../i18n';
import { Evidence, isNothing, parsed } from './Evidence';
import { both, place } from './FindingDrawer';

const html = (value: unknown) => renderToStaticMarkup(<MantineProvider><Evidence value={value} /></MantineProvider>);

describe('evidence', () => {
  it('is a tree: two levels open, deeper ones closed', () => {
    const out = html({ a: { b: { c: { d: 1 } } } });
    expect(out.match(/<details open="">/g)).toHaveLength(2);
    expect(out.match(/<details>/g)).toHaveLength(2);
    expect(out).toContain('<span class="json-key">d</span>: <span class="json-value">1</span>');
  });
  it('escapes what it shows', () => { const out = html({ '<b>': '<script>alert(1)</script>' }); expect(out).not.toContain('<script>'); expect(out).toContain('&lt;script&gt;'); });
  it('cuts long lists and long texts', () => {
    const out = html({ list: Array.from({ length: 150 }, (_, i) => i), text: 'x'.repeat(5000) });
    expect(out.match(/json-value/g)).toHaveLength(100);
    expect(out).toContain('50 more'); expect(out.length).toBeLessThan(20_000);
  });
  it('reads JSON that was kept as text, and leaves other text alone', () => {
    expect(parsed('{"a":[1]}')).toEqual({ a: [1] }); expect(parsed('[not json')).toBe('[not json'); expect(parsed('12')).toBe('12');
    expect(html('plain words')).toContain('plain words');
  });
  it.each([[null], [undefined], [""], [{}], [[]]].map((v) => [v[0]] as const))('says when there is none: %j', (v) => { expect(isNothing(v)).toBe(true); expect(html(v)).toContain('kept no evidence'); });
  it.each([[0], [false], ["x"], [[0]]].map((v) => [v[0]] as const))('shows %j', (v) => expect(isNothing(v)).toBe(false));
});
describe('both', () => {
  const yes = { allowed: true, why: null, needs: null };
  const no = (why: string) => ({ allowed: false, why, needs: null });
  it('lets the first no speak', () => { expect(both(no('here'), yes).why).toBe('here'); expect(both(no('here'), no('own')).why).toBe('here'); expect(both(yes, no('own')).why).toBe('own'); expect(both(yes, yes).allowed).toBe(true); });
  it('falls back to the context where the finding says nothing', () => expect(both(yes, undefined).allowed).toBe(true));
});
describe('place', () => {
  it('names file, line and column', () => { expect(place({ file: 'a.tf', line: 12, column: 4 })).toBe('a.tf:12:4'); expect(place({ uri: 'b', start_line: 1 })).toBe('b:1'); expect(place({ x: 1 })).toBe('{"x":1}'); });
});
