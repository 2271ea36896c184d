import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { setLocale } from '../i18n';
import { dayOf, endOfDay, percent, relative, score, signed, slugify } from './format';

const now = Date.parse('2026-11-21T12:00:00.000000Z');
const at = (seconds: number) => new Date(now + seconds * 1000).toISOString();
describe('relative time', () => {
  it.each([[0, 'now'], [-9, 'now'], [-45, '45s ago'], [-120, '2m ago'], [-3 * 3600, '3h ago'], [-26 * 3600, 'yesterday'], [-5 * 86400, '5d ago'], [-70 * 86400, '2mo ago'], [-800 * 86400, '2y ago'], [3 * 86400, 'in 3d'], [86400, 'tomorrow']])('%d s is %s', (s, words) => expect(relative(at(s), now).replaceAll(' ', '')).toBe(words.replaceAll(' ', '')));
  it('never says 60 minutes or 24 hours', () => { expect(relative(at(-3599), now)).toMatch(/^1\s?h/); expect(relative(at(-86399), now)).toBe('yesterday'); });
});
describe('numbers', () => {
  it('keep their sign and a real minus', () => { expect(signed(1.8)).toBe('+1.8'); expect(signed(-2)).toBe('−2'); expect(signed(0)).toBe('0'); });
  it('say 100% only when it is', () => { expect(score(99.9)).toBe('99%'); expect(score(100)).toBe('100%'); expect(percent(98.75)).toBe('98.8%'); });
});
describe('German', () => {
  beforeAll(() => setLocale('de'));
  afterAll(() => setLocale('en'));
  it('counts and tells time in German', () => { expect(percent(98.7).replace(/\s/, ' ')).toBe('98,7 %'); expect(relative(at(-26 * 3600), now)).toBe('gestern'); });
});
it('makes a slug of a name', () => { expect(slugify('Müller & Söhne GmbH')).toBe('mueller-and-soehne-gmbh'); expect(slugify('  Élan—Vital! ')).toBe('elan-vital'); expect(slugify('x'.repeat(60))).toHaveLength(40); });
it('keeps the day of an end', () => expect(dayOf(endOfDay('2026-12-31'))).toBe('2026-12-31'));
