import { describe, expect, it } from 'vitest';
import { dayTicks, linePath, nearest, place, scoreDomain, scoreTicks } from './score-scale';

const DAY = 86_400_000;

describe('score axis', () => {
  it.each<[number[], [number, number]]>([[[], [0, 100]], [[61, 64], [50, 70]], [[64], [60, 80]], [[99.5, 100], [80, 100]], [[100], [80, 100]], [[0], [0, 20]], [[1, 99], [0, 100]], [[58.1, 71.9], [50, 80]]])('of %j is %j', (scores, domain) => expect(scoreDomain(scores)).toEqual(domain));
  it('is at least twenty points high and holds every score', () => {
    for (let a = 0; a <= 100; a += 3.7) for (let b = a; b <= 100; b += 7.3) {
      const [lo, hi] = scoreDomain([a, b]);
      expect(lo).toBeGreaterThanOrEqual(0); expect(hi).toBeLessThanOrEqual(100);
      expect(hi - lo).toBeGreaterThanOrEqual(20); expect(lo).toBeLessThanOrEqual(a); expect(hi).toBeGreaterThanOrEqual(b);
    }
  });
  it('has at most six lines', () => {
    expect(scoreTicks([0, 100])).toEqual([0, 20, 40, 60, 80, 100]);
    expect(scoreTicks([50, 70])).toEqual([50, 60, 70]);
    expect(scoreTicks([30, 100])).toEqual([40, 60, 80, 100]);
  });
});
describe('place', () => {
  const frame = { from: 0, to: 90 * DAY, domain: [50, 70] as [number, number], width: 900, height: 200 };
  it('puts corners into corners', () => {
    expect(place(frame, 0, 70)).toEqual({ x: 0, y: 0 });
    expect(place(frame, 90 * DAY, 50)).toEqual({ x: 900, y: 200 });
    expect(place(frame, 45 * DAY, 60)).toEqual({ x: 450, y: 100 });
  });
  it('holds what lies outside at the edge', () => expect(place(frame, -DAY, 99)).toEqual({ x: 0, y: 0 }));
  it('survives a span of nothing', () => expect(place({ ...frame, to: 0 }, 0, 60)).toEqual({ x: 0, y: 100 }));
});
describe('around the line', () => {
  const spots = [{ x: 0, y: 1 }, { x: 10, y: 2 }, { x: 30, y: 3 }];
  it('finds the nearest', () => { expect(nearest(spots, -50)).toBe(0); expect(nearest(spots, 19)).toBe(1); expect(nearest(spots, 21)).toBe(2); expect(nearest([], 3)).toBe(-1); });
  it('draws through all', () => { expect(linePath(spots)).toBe('M0.0 1.0L10.0 2.0L30.0 3.0'); expect(linePath([])).toBe(''); });
  it('names local midnights within the span, none twice', () => {
    const to = new Date(2026, 10, 21, 12).getTime(); const ticks = dayTicks(to - 90 * DAY, to, 6);
    expect(ticks).toHaveLength(6);
    for (const t of ticks) { expect(new Date(t).getHours()).toBe(0); expect(t).toBeGreaterThanOrEqual(to - 90 * DAY); expect(t).toBeLessThanOrEqual(to); }
    expect(dayTicks(to - DAY, to, 6).length).toBeLessThanOrEqual(2);
  });
});
