import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { useWhileThere } from './Bell';

const MINUTE_MS = 60_000;
let root: Root;
let hidden = false;
const run = vi.fn();
function Probe() { useWhileThere(run); return null; }
beforeEach(() => {
  (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true;
  vi.useFakeTimers();
  run.mockClear();
  hidden = false;
  vi.spyOn(document, 'hidden', 'get').mockImplementation(() => hidden);
  root = createRoot(document.createElement('div'));
  act(() => root.render(<Probe />));
});
afterEach(() => { act(() => root.unmount()); vi.useRealTimers(); vi.restoreAllMocks(); });

it('asks once a minute while somebody is there', () => {
  vi.advanceTimersByTime(3 * MINUTE_MS);
  expect(run).toHaveBeenCalledTimes(3);
});
it('stops when nobody touched anything for five minutes, and goes on when somebody does', () => {
  vi.advanceTimersByTime(60 * MINUTE_MS);
  expect(run).toHaveBeenCalledTimes(4);
  window.dispatchEvent(new Event('keydown'));
  vi.advanceTimersByTime(MINUTE_MS);
  expect(run).toHaveBeenCalledTimes(5);
});
it('a tab that nobody sees asks nothing; one that is left asks nothing more', () => {
  hidden = true;
  vi.advanceTimersByTime(2 * MINUTE_MS);
  expect(run).not.toHaveBeenCalled();
  hidden = false;
  act(() => root.unmount());
  vi.advanceTimersByTime(5 * MINUTE_MS);
  expect(run).not.toHaveBeenCalled();
});
