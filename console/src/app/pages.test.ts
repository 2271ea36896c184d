import { expect, it } from 'vitest';
import { pagesOf, providerPages, tenantPages } from './pages';

const paths = (standalone: boolean) => pagesOf(standalone).map((p) => p.path);
it('without a provider there is none to see, pay or leave; with one there is no licence to activate', () => {
  expect(paths(true)).toContain('licence');
  for (const path of ['provider-access', 'access-requests', 'bill', 'offboarding']) { expect(paths(true)).not.toContain(path); expect(paths(false)).toContain(path); }
  expect(paths(false)).not.toContain('licence');
});
it('no two pages share an address', () => { for (const pages of [providerPages, tenantPages]) expect(new Set(pages.map((p) => p.path)).size).toBe(pages.length); });
