/** From and to of the score axis: multiples of ten around what there is, at least twenty points, within 0 and 100. */
export function scoreDomain(scores: readonly number[]): [number, number] {
  if (scores.length === 0) return [0, 100];
  let lo = Math.max(0, Math.floor((Math.min(...scores) - 2) / 10) * 10);
  let hi = Math.min(100, Math.ceil((Math.max(...scores) + 2) / 10) * 10);
  while (hi - lo < 20) { if (hi < 100) hi += 10; else lo -= 10; }
  return [lo, hi];
}
/** At most six lines, on multiples of ten or twenty. */
export function scoreTicks([lo, hi]: [number, number]): number[] {
  const step = hi - lo > 50 ? 20 : 10;
  const out: number[] = [];
  for (let v = Math.ceil(lo / step) * step; v <= hi; v += step) out.push(v);
  return out;
}
/** `n` local midnights spread over the time axis, first and last a little inside. */
export function dayTicks(from: number, to: number, n: number): number[] {
  const out = Array.from({ length: n }, (_, i) => new Date(from + ((i + 0.5) / n) * (to - from)).setHours(0, 0, 0, 0)).filter((t) => t >= from && t <= to);
  return [...new Set(out)];
}
export interface Frame { from: number; to: number; domain: [number, number]; width: number; height: number }
export interface Spot { x: number; y: number }
/** Where a score stands in a box of width × height; what lies outside is held at the edge. */
export function place({ from, to, domain: [lo, hi], width, height }: Frame, at: number, score: number): Spot {
  const within = (v: number) => Math.min(1, Math.max(0, v));
  return { x: within((at - from) / Math.max(1, to - from)) * width, y: (1 - within((score - lo) / (hi - lo))) * height };
}
/** The index of the spot nearest to x; -1 when there is none. */
export function nearest(spots: readonly Spot[], x: number): number {
  let best = -1;
  for (let i = 0; i < spots.length; i++) if (best < 0 || Math.abs(spots[i]!.x - x) < Math.abs(spots[best]!.x - x)) best = i;
  return best;
}
export const linePath = (spots: readonly Spot[]) => spots.map((s, i) => `${i ? 'L' : 'M'}${s.x.toFixed(1)} ${s.y.toFixed(1)}`).join('');
