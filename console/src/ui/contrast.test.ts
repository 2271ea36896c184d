import { expect, it } from 'vitest';
import { asColour, contrast, textOn } from './contrast';

it('is WCAG’s contrast', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#767676', '#ffffff')).toBeCloseTo(4.54, 2);
  expect(contrast('#0f766e', '#0f766e')).toBe(1);
});
it('text on any colour reaches 4.5', () => {
  for (let r = 0; r < 256; r += 15) for (let g = 0; g < 256; g += 15) for (let b = 0; b < 256; b += 15) {
    const colour = `#${[r, g, b].map((n) => n.toString(16).padStart(2, '0')).join('')}`;
    expect(contrast(colour, textOn(colour))).toBeGreaterThanOrEqual(4.5);
  }
});
it('reads what people type', () => expect(['#ABC', 'abcdef', ' #AbCdEf ', 'teal', '#12345'].map(asColour)).toEqual(['#aabbcc', '#abcdef', '#abcdef', null, null]));
