import { act } from 'react';
import { createRoot } from 'react-dom/client';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Countdown, countdown } from './countdown';
import { minutes } from './format';

it('reads like a clock, hours only when there are any', () => expect([0, 999, 1000, 59_000, 60_000, 299_001, 3_600_000, 3_850_000, -5].map(countdown)).toEqual(['0:00', '0:01', '0:01', '0:59', '1:00', '5:00', '1:00:00', '1:04:10', '0:00']));
it('says a length in hours and minutes', () => expect([0, 5, 60, 90, 480].map(minutes)).toEqual(['0 mins', '5 mins', '1 hr', '1 hr 30 mins', '8 hrs']));

beforeEach(() => { (globalThis as Record<string, unknown>).IS_REACT_ACT_ENVIRONMENT = true; vi.useFakeTimers({ now: Date.parse('2026-11-21T12:00:00Z') }); });
afterEach(() => vi.useRealTimers());
it('ticks, and says once that it is over', () => {
  const box = document.createElement('div');
  const root = createRoot(box);
  const ended = vi.fn();
  act(() => root.render(<Countdown to="2026-11-21T12:00:02.500Z" onEnd={ended} />));
  expect(box.textContent).toBe('0:03 left');
  act(() => { vi.advanceTimersByTime(2000); });
  expect(box.textContent).toBe('0:01 left');
  expect(ended).not.toHaveBeenCalled();
  act(() => { vi.advanceTimersByTime(5000); });
  expect(box.textContent).toBe('over');
  expect(ended).toHaveBeenCalledOnce();
  act(() => root.unmount());
});
