import { expect, it } from 'vitest';
import { safeNext } from './SignIn';

it.each([['/t/acme/findings?q=x', '/t/acme/findings?q=x'], [undefined, '/'], ['https://evil.example', '/'], ['//evil.example', '/'], ['/\\evil.example', '/'], ['javascript:alert(1)', '/'], ['/sign-in?next=/x', '/']])('after sign-in %s leads to %s', (next, to) => expect(safeNext(next)).toBe(to));
