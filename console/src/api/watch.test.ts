import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { backoffMs, watchTenant, type WatchWorld } from './watch';

class Source extends EventTarget {
  closed = false;
  readyState = 1;
  constructor(readonly url: string) { super(); }
  close() { this.closed = true; this.readyState = 2; }
  say(event: string) { this.dispatchEvent(new Event(event)); }
  fail(refused = false) { this.readyState = refused ? 2 : 0; this.say('error'); }
}
let opened: Source[] = [];
let hidden = false;
let look = () => undefined as void;
const world: WatchWorld = { open: (url) => { const s = new Source(url); opened.push(s); return s as unknown as EventSource; }, hidden: () => hidden, onVisibility: (f) => { look = f; return () => { look = () => undefined; }; } };
const show = (on: boolean) => { hidden = !on; look(); };
const events = () => ({ changed: vi.fn(), gone: vi.fn() });
beforeEach(() => { opened = []; hidden = false; vi.useFakeTimers(); });
afterEach(() => vi.useRealTimers());

it('waits twice as long each time, up to a minute', () => expect([0, 1, 2, 3, 4, 5, 20].map(backoffMs)).toEqual([2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]));
it('passes on what it hears, from the tenant\'s address', () => {
  const e = events();
  const stop = watchTenant('a/b', e, world);
  expect(opened[0]!.url).toBe('/api/v1/tenants/a%2Fb/context/watch');
  opened[0]!.say('changed');
  expect(e.changed).toHaveBeenCalledOnce();
  stop();
  expect(opened[0]!.closed).toBe(true);
});
it('ends with gone: nothing is opened again', () => {
  const e = events();
  watchTenant('acme', e, world);
  opened[0]!.say('gone');
  vi.advanceTimersByTime(600_000);
  show(false); show(true);
  expect(e.gone).toHaveBeenCalledOnce();
  expect(opened).toHaveLength(1);
  expect(opened[0]!.closed).toBe(true);
});
it('never connects again in a tight loop, and asks what it missed', () => {
  const e = events();
  const stop = watchTenant('acme', e, world);
  for (let n = 0; n < 5; n++) { opened.at(-1)!.fail(); vi.advanceTimersByTime(backoffMs(n) - 1); expect(opened).toHaveLength(n + 1); vi.advanceTimersByTime(1); expect(opened).toHaveLength(n + 2); }
  expect(e.changed).not.toHaveBeenCalled();
  opened.at(-1)!.say('open');
  expect(e.changed).toHaveBeenCalledOnce();
  opened.at(-1)!.fail();
  vi.advanceTimersByTime(2000);
  expect(opened).toHaveLength(7);
  stop();
  vi.advanceTimersByTime(600_000);
  expect(opened).toHaveLength(7);
});
it('a refusal is looked into at once', () => {
  const e = events();
  const stop = watchTenant('acme', e, world);
  opened[0]!.fail(true);
  expect(e.changed).toHaveBeenCalledOnce();
  stop();
});
it('a hidden tab holds no connection, and looks first when it is seen again', () => {
  const e = events();
  const stop = watchTenant('acme', e, world);
  show(false);
  expect(opened[0]!.closed).toBe(true);
  vi.advanceTimersByTime(600_000);
  expect(opened).toHaveLength(1);
  show(true);
  expect(e.changed).toHaveBeenCalledOnce();
  expect(opened).toHaveLength(2);
  stop();
});
