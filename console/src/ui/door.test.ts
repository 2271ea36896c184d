import { expect, it } from 'vitest';
import { strength } from './door';

it.each([['short', 0], ['aaaaaaaaaaaa', 1], ['passwordpassword', 1], ['123412341234', 1], ['Tr0mbone-kite', 2], ['correct horse battery staple', 3]] as const)('%s has strength %i', (password, level) => expect(strength(password)).toBe(level));
