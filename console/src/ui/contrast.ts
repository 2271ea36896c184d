/** Contrast of two colours, as WCAG 2.2 defines it (relative luminance, 1.4.3): 1 to 21. Colours are #rrggbb. */
export const isColour = (s: string) => /^#[0-9a-f]{6}$/i.test(s);
function luminance(colour: string): number {
  const part = (at: number) => { const c = Number.parseInt(colour.slice(at, at + 2), 16) / 255; return c <= 0.040_45 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  return 0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5);
}
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(a), luminance(b)];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}
/** Black or white, whichever reads better on it: one of the two always reaches 4.5. */
export const textOn = (colour: string): '#000000' | '#ffffff' => (contrast(colour, '#ffffff') >= contrast(colour, '#000000') ? '#ffffff' : '#000000');
/** "#ABC", "abcdef" and " #AbCdEf " mean a colour; anything else is null. */
export function asColour(typed: string): string | null {
  const s = typed.trim().toLowerCase().replace(/^#?/, '#');
  if (isColour(s)) return s;
  return /^#[0-9a-f]{3}$/.test(s) ? `#${[...s.slice(1)].map((c) => c + c).join('')}` : null;
}
