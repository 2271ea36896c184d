import { expect, it } from 'vitest';
import { bodyOf, type Draft } from './draft';

const acme = { id: 'ten_1', slug: 'acme', name: 'Acme' };
const draft: Draft = { kind: 'tier', plan: 'pln_1', tier: 'T2', key: 'scan_interval_days', value: 7, staff: 'stf_1', mask: ['view', 'update'], modules: ['compliance'], ends_at: '', over: 'tenants', tenants: [acme], group: 'grp_1', except: [acme], reason: ' why ', failed_percent: 20 };
it('sends what belongs to the kind, and nothing else', () => {
  expect(bodyOf(draft)).toEqual({ kind: 'tier', what: { tier: 'T2' }, over: { tenants: ['ten_1'] }, reason: 'why', stop_after: { failed_percent: 20 } });
  expect(bodyOf({ ...draft, kind: 'suspend', over: 'except' })).toMatchObject({ what: {}, over: { all: true, except: ['ten_1'] } });
  expect(bodyOf({ ...draft, kind: 'assignment', over: 'group' })).toMatchObject({ what: { staff: 'stf_1', tier: 'T2', mask: { view: true, create: false, update: true, delete: false }, modules: ['compliance'], ends_at: null }, over: { group: 'grp_1' } });
  expect(bodyOf({ ...draft, kind: 'setting', value: 14, over: 'all' })).toMatchObject({ what: { scan_interval_days: 14 }, over: { all: true } });
});
