import { afterEach, describe, expect, it, vi } from 'vitest';
import { api, ApiProblem, apiUrl, isProblem, path } from './client';

const answer = (status: number, body: unknown, headers: Record<string, string> = {}) => vi.stubGlobal('fetch', vi.fn(async () => new Response(status === 204 ? null : typeof body === 'string' ? body : JSON.stringify(body), { status, headers })));
const caught = (p: Promise<unknown>) => p.then(() => { throw new Error('did not fail'); }, (e: unknown) => e as ApiProblem);
afterEach(() => vi.unstubAllGlobals());

describe('a failed call', () => {
  it('becomes an ApiProblem with its field errors and request id', async () => {
    answer(422, { code: 'invalid', title: 'Invalid', errors: [{ field: 'email', code: 'taken', message: 'Taken' }] }, { 'x-request-id': 'req_1' });
    const e = await caught(api.post('/x', {}));
    expect(isProblem(e, 'invalid')).toBe(true);
    expect(e).toMatchObject({ status: 422, requestId: 'req_1', errors: [{ field: 'email', code: 'taken', message: 'Taken' }] });
  });
  it('says what would be needed when forbidden', async () => {
    answer(403, { code: 'forbidden', title: 'Forbidden', needs: 'T2 Operate', why: 'Your access is T1', policy: 'tier.operate' });
    expect(await caught(api.get('/x'))).toMatchObject({ code: 'forbidden', needs: 'T2 Operate', why: 'Your access is T1', policy: 'tier.operate' });
  });
  it('reads Retry-After in seconds', async () => {
    answer(429, { code: 'too_many_requests', title: 'Slow down' }, { 'retry-after': '42' });
    expect((await caught(api.post('/session', {}))).retryAfterSeconds).toBe(42);
  });
  it('survives an answer that is no problem document', async () => {
    answer(502, '<html>bad gateway</html>');
    expect(await caught(api.get('/x'))).toMatchObject({ status: 502, code: 'internal', errors: [] });
    answer(404, '');
    expect((await caught(api.get('/x'))).code).toBe('not_found');
  });
  it('is "offline" when nothing answers', async () => {
    vi.stubGlobal('fetch', vi.fn(async () => { throw new TypeError('failed to fetch'); }));
    expect(await caught(api.get('/x'))).toMatchObject({ status: 0, code: 'offline' });
  });
});

describe('a call', () => {
  it('sends If-Match with the version and JSON', async () => {
    answer(200, { ok: true });
    await api.patch('/x', { a: 1 }, 7);
    const [url, init] = vi.mocked(fetch).mock.calls[0]!;
    expect(url).toBe('/api/v1/x');
    expect(init).toMatchObject({ method: 'PATCH', body: '{"a":1}', headers: { 'if-match': '"7"', 'content-type': 'application/json' } });
  });
  it('answers undefined for 204', async () => {
    answer(204, null);
    expect(await api.del('/x')).toBeUndefined();
  });
  it('encodes what is put into a path', () => expect(path`/tenants/${'a/b c'}/findings/${'fnd_1'}`).toBe('/tenants/a%2Fb%20c/findings/fnd_1'));
  it('leaves empty values out of the query and joins lists', () => expect(apiUrl('/x', { q: '', a: undefined, b: ['x', 'y'], c: null, d: 0, e: [] })).toBe('/api/v1/x?b=x%2Cy&d=0'));
});
