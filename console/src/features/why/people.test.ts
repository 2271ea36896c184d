import { expect, it } from 'vitest';
import type { AccessPerson, Member } from '../../api';
import { INSIDE } from './inside';
import { somebodies } from './people';

const member = { person: { id: 'per_1', name: 'Dana', email: 'dana@acme.example' } } as Member;
const staff = [{ person: { id: 'per_2', name: 'Tom', email: 'tom@northwind.example' }, provider: { name: 'Northwind' }, role: 'technician' }, { person: { id: 'per_2', name: 'Tom', email: null }, provider: { name: 'Northwind' }, role: 'technician' }, { person: { id: 'per_3', name: null, email: null }, provider: { name: 'Northwind' }, role: 'technician' }] as AccessPerson[];
it('each once, members first, staff without names by their role', () => expect(somebodies({ members: [member], staff, typed: '', role: () => 'Technician' })).toEqual([{ value: 'per_1', label: 'Dana (dana@acme.example)' }, { value: 'per_2', label: 'Tom (tom@northwind.example)' }, { value: 'per_3', label: 'Technician (Northwind)' }]));
it('keeps whom the address names, and takes a whole e-mail that nobody here has', () => {
  expect(somebodies({ members: [], staff: [], chosen: 'per_9', chosenName: 'Zed', typed: 'x@y', role: String })).toEqual([{ value: 'per_9', label: 'Zed' }]);
  expect(somebodies({ members: [member], staff: [], typed: 'new@acme.example', role: String }).at(-1)).toEqual({ value: 'new@acme.example', label: 'new@acme.example' });
  expect(somebodies({ members: [member], staff: [], typed: 'DANA@acme.example', role: String })).toHaveLength(1);
});
it('what is done inside a client leaves out what is the provider\'s own', () => {
  expect(INSIDE).toContain('finding.assign');
  expect(INSIDE).toContain('provider_access.freeze');
  expect(INSIDE.filter((a) => /^(provider|elevation|tenant|staff)\./.test(a))).toEqual([]);
});
