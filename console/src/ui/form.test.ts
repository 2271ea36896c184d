import { expect, it } from 'vitest';
import { ApiProblem } from '../api';
import { fieldErrors } from './form';

const problem = (errors: { field: string; message: string }[]) => new ApiProblem({ status: 422, code: 'invalid', errors: errors.map((e) => ({ ...e, code: 'x' })) });
it('puts errors at their fields, the first one of each', () => expect(fieldErrors(problem([{ field: 'email', message: 'Taken' }, { field: 'email', message: 'Other' }]), ['email'])).toEqual({ byField: { email: 'Taken' }, rest: [] }));
it('follows renamed and nested fields, and keeps what no field shows', () => expect(fieldErrors(problem([{ field: 'settings.access_mode', message: 'A' }, { field: 'mask.view', message: 'B' }, { field: 'elsewhere', message: 'C' }]), ['access_mode', 'mask'], { 'settings.access_mode': 'access_mode' })).toEqual({ byField: { access_mode: 'A', mask: 'B' }, rest: ['C'] }));
