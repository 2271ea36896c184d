import { expect, it } from 'vitest';
import type { AccessRequest } from '../../api';
import { running } from './requests';

const request = (id: string, state: string, ends_at: string | null) => ({ id, state, elevation: ends_at === null ? null : { ends_at } }) as AccessRequest;
it('what runs, the one that ends first on top; consents never run', () => expect(running([request('b', 'running', '2026-11-21T13:00:00Z'), request('x', 'ended', '2026-11-21T11:00:00Z'), request('c', 'approved', null), request('a', 'running', '2026-11-21T12:00:00Z')]).map(({ r }) => r.id)).toEqual(['a', 'b']));
