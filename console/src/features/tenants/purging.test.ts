import { expect, it } from 'vitest';
import type { PurgeRequest } from '../../api';
import { purgeBlocked, purgeStep } from './purging';

const asked = (by: string | null): PurgeRequest => ({ by: by ? { id: by, name: by } : null, side: 'provider', at: '2026-11-01T00:00:00Z', reason: 'Contract ended' });
it.each([['active', null, 'none'], ['suspended', asked('per_b'), 'none'], ['archived', null, 'ask'], ['archived', asked('per_a'), 'mine'], ['archived', asked('per_b'), 'confirm'], ['archived', asked(null), 'confirm']] as const)('%s, asked by %o: %s', (state, purge_request, step) => expect(purgeStep({ state, purge_request }, 'per_a')).toBe(step));
const now = Date.parse('2026-11-21T12:00:00Z');
it.each([[null, null, null], [null, '2026-11-21T11:59:59Z', null], [null, '2026-12-01T00:00:00Z', 'early'], [{ by: null, at: '', reason: '' }, null, 'held'], [{ by: null, at: '', reason: '' }, '2026-12-01T00:00:00Z', 'held']] as const)('a purge with hold %o after %s is blocked by %s', (hold, purge_after, why) => expect(purgeBlocked({ hold, purge_after }, now)).toBe(why));
