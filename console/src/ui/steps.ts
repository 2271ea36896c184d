/** A line that holds its value until the next month, as seats do. Positions are in pixels, from the top left. */
export function stepPath(values: readonly number[], top: number, width: number, height: number): string {
  if (values.length === 0) return '';
  const x = (i: number) => (values.length === 1 ? 0 : (i / (values.length - 1)) * width);
  const y = (v: number) => (height - (v / Math.max(1, top)) * height).toFixed(1);
  return `M0 ${y(values[0]!)}${values.slice(1).map((v, i) => `H${x(i + 1).toFixed(1)}V${y(v)}`).join('')}${values.length === 1 ? `H${width}` : ''}`;
}
/** The top of an axis from 0: 1, 2 or 5 times a power of ten, or 2.5 of it from 10 on; and its four lines. */
export function axisFrom0(most: number): { top: number; ticks: number[] } {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  const top = [1, 2, 2.5, 4, 5, 8, 10].map((n) => n * power).find((n) => n >= most && n % 4 === 0) ?? Math.max(4, Math.ceil(most / 4) * 4);
  return { top, ticks: [0, 1, 2, 3, 4].map((i) => (top / 4) * i) };
}
