import { describe, expect, it } from 'vitest';
import { target } from './decisions';

describe('where a decision is taken', () => {
  it('is a page of the tenant', () => {
    expect(target({ to: 'findings?severity=critical&assignee=none' })).toEqual({ page: 'findings', search: { severity: 'critical', assignee: 'none' } });
    expect(target({ to: '/t/acme/overrides?state=active' })).toEqual({ page: 'overrides', search: { state: 'active' } });
    expect(target({ to: '/scans' })).toEqual({ page: 'scans', search: {} });
  });
  it.each(['https://evil.example/x', '//evil.example', 'javascript:alert(1)', '../../operator', ''])('is never %s', (to) => expect(target({ to })).toEqual({ page: 'overview', search: {} }));
});
