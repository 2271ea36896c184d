import { expect, it } from 'vitest';
import { de } from './de';
import { deHub } from './de.hub';
import { en } from './en';
import { enBusiness } from './en.business';
import { enHub } from './en.hub';

type Tree = { [key: string]: string | Tree };
const leaves = (tree: Tree, at = ''): [string, string][] => Object.entries(tree).flatMap(([k, v]) => (typeof v === 'string' ? [[at + k, v] as [string, string]] : leaves(v, `${at}${k}.`)));
const [english, german] = [new Map([en, enBusiness, enHub].flatMap((part) => leaves(part as unknown as Tree))), new Map([de, deHub].flatMap((part) => leaves(part as unknown as Tree)))];
const placeholders = (s: string) => [...s.matchAll(/\{\{(\w+)\}\}/g)].map((m) => m[1]).toSorted();

it('German has every key of English and no other', () => expect([...german.keys()].toSorted()).toEqual([...english.keys()].toSorted()));
it('no text is empty', () => expect([...english, ...german].filter(([, v]) => v.trim() === '')).toEqual([]));
it('German fills the same blanks', () => expect([...english].filter(([k, v]) => String(placeholders(v)) !== String(placeholders(german.get(k)!))).map(([k]) => k)).toEqual([]));
it('a plural has both forms', () => expect([...english.keys()].filter((k) => k.endsWith('_one') && !english.has(k.replace(/_one$/, '_other')))).toEqual([]));
it('no two parts say the same key', () => expect(Object.keys(enHub).filter((k) => k in en)).toEqual([]));
