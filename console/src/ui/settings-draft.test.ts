import { expect, it } from 'vitest';
import type { Setting } from '../api';
import { changed, outOfBounds, shownValue } from './settings-draft';

const setting = (more: Partial<Setting> = {}): Setting => ({ key: 'password.length_min', kind: 'number', min: 12, max: 64, value: 12, layer: 'default', default: 12, own: null, locked_by: null, ...more });

it('what counts is shown until it is changed', () => {
  expect(shownValue(setting({ value: 16, layer: 'preset' }), {})).toBe(16);
  expect(shownValue(setting({ value: 16 }), { 'password.length_min': 20 })).toBe(20);
  expect(shownValue(setting({ value: 16, own: 16 }), { 'password.length_min': null })).toBe(12);
});
it('going back to what counts is no change', () => {
  const draft = changed(setting(), {}, 20);
  expect(draft).toEqual({ 'password.length_min': 20 });
  expect(changed(setting(), draft, 12)).toEqual({});
});
it('what was set here can be taken back, what was not cannot', () => {
  expect(changed(setting({ own: 16, value: 16, layer: 'provider' }), {}, null)).toEqual({ 'password.length_min': null });
  expect(changed(setting(), { 'password.length_min': 20 }, null)).toEqual({});
});
it('a stricter place above may make what was set differ from what counts', () => expect(changed(setting({ own: 14, value: 16, layer: 'provider' }), {}, 16)).toEqual({ 'password.length_min': 16 }));
it.each([[11, true], [65, true], [12.5, true], ['', true], [12, false], [64, false]])('%s is out of bounds: %s', (value, bad) => expect(Object.keys(outOfBounds([setting()], { 'password.length_min': value }))).toHaveLength(bad ? 1 : 0));
it('words and yes or no have no bounds', () => expect(outOfBounds([setting({ key: 'x', kind: 'boolean' })], { x: true })).toEqual({}));
