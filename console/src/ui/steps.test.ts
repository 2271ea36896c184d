import { expect, it } from 'vitest';
import { axisFrom0, stepPath } from './steps';

it.each([[0, 4], [3, 4], [7, 8], [44, 80], [96, 100], [640, 800], [5833, 8000], [1, 4]])('an axis that shows %i goes to %i', (most, top) => {
  const axis = axisFrom0(most);
  expect(axis.top).toBe(top);
  expect(axis.ticks).toHaveLength(5);
  expect(axis.ticks.every(Number.isInteger)).toBe(true);
});
it('a value holds until the next', () => expect(stepPath([0, 5, 10], 10, 100, 50)).toBe('M0 50.0H50.0V25.0H100.0V0.0'));
it('one value is a line across', () => expect(stepPath([5], 10, 100, 50)).toBe('M0 25.0H100'));
it('no value is no line', () => expect(stepPath([], 10, 100, 50)).toBe(''));
