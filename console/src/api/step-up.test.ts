import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { api, isProblem, onStepUp } from './client';

const asks = { status: 403, body: { code: 'step_up_required', title: 'Fresh second factor needed', policy: 'stop.step_up' } };
const fine = { status: 200, body: { ok: true } };
let fresh = false;
beforeEach(() => { fresh = false; vi.stubGlobal('fetch', vi.fn(async () => { const { status, body } = fresh ? fine : asks; return new Response(JSON.stringify(body), { status }); })); });
afterEach(() => { vi.unstubAllGlobals(); onStepUp(() => Promise.resolve(false)); });

it('asks, and makes the same call again', async () => {
  onStepUp(async () => { fresh = true; return true; });
  expect(await api.post('/x', { a: 1 })).toEqual({ ok: true });
  const calls = vi.mocked(fetch).mock.calls;
  expect(calls).toHaveLength(2);
  expect(calls[1]).toEqual(calls[0]);
});
it('gives the problem back when the person would rather not', async () => {
  onStepUp(() => Promise.resolve(false));
  await expect(api.post('/x')).rejects.toSatisfy((e) => isProblem(e, 'step_up_required'));
  expect(fetch).toHaveBeenCalledOnce();
});
it('tries only once more, whatever the second answer is', async () => {
  onStepUp(() => Promise.resolve(true));
  await expect(api.del('/x')).rejects.toSatisfy((e) => isProblem(e, 'step_up_required'));
  expect(fetch).toHaveBeenCalledTimes(2);
});
it('a place that wants the password again is asked for it, and the call is made again', async () => {
  vi.stubGlobal('fetch', vi.fn(async () => (fresh ? new Response('{"ok":true}', { status: 200 }) : new Response(JSON.stringify({ code: 'reauth_required', title: 'Password needed' }), { status: 403 }))));
  const asked: string[] = [];
  onStepUp(async (problem) => { asked.push(problem.code); fresh = true; return true; });
  expect(await api.get('/tenants/acme/context')).toEqual({ ok: true });
  expect(asked).toEqual(['reauth_required']);
});
it('asks once for calls that wait together, and again later', async () => {
  let answer: (proven: boolean) => void = () => undefined;
  const ask = vi.fn(() => new Promise<boolean>((done) => { answer = done; }));
  onStepUp(ask);
  const both = Promise.all([api.post('/a'), api.post('/b')]);
  await vi.waitFor(() => expect(ask).toHaveBeenCalledOnce());
  await new Promise((done) => { setTimeout(done); });
  fresh = true;
  answer(true);
  await both;
  expect(ask).toHaveBeenCalledOnce();
  fresh = false;
  const later = api.post('/c');
  await vi.waitFor(() => expect(ask).toHaveBeenCalledTimes(2));
  answer(false);
  await expect(later).rejects.toBeDefined();
});
