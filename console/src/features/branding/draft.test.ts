import { expect, it } from 'vitest';
import type { BrandView } from '../../api';
import { changesOf, draftOf, faintOn, inherited, previewOf } from './draft';

const none: BrandView['own'] = { name: null, colours: { brand: null, accent: null }, logo_light: null, logo_dark: null, favicon: null, support: null, email_footer: null, sign_in_text: null };
const view: BrandView = {
  own: { ...none, name: 'Northwind', logo_light: 'bra_1' }, effective: { name: { value: 'Northwind', layer: 'provider' }, 'colours.brand': { value: '#0f766e', layer: 'platform' } }, tenant_branding: 'override', version: 3, preview_host: null,
  brand: { id: 'brd_1', version: 3, layer: 'provider', name: 'Northwind', colours: { brand: '#0f766e', text_on_brand: '#ffffff', accent: null }, logo: { light: '/a/1', dark: null }, favicon: null, support: null, email_footer: null, sign_in_text: null, contrast: { ratio: 5.47, ok: true } },
};

it('sends only what differs; what is emptied goes back to what is inherited', () => {
  const draft = draftOf(view);
  expect(changesOf(view, draft)).toEqual({});
  expect(changesOf(view, { ...draft, name: ' ', brand: 'ABC', assets: { ...draft.assets, logo_light: null, favicon: { id: 'bra_2', url: '/a/2' } } })).toEqual({ name: null, colours: { brand: '#aabbcc' }, logo_light: null, favicon: 'bra_2' });
  expect(changesOf(view, { ...draft, support_url: 'mailto:help@x.example' })).toEqual({ support: { label: 'mailto:help@x.example', url: 'mailto:help@x.example' } });
});
it('shows the draft over what is inherited', () => {
  const draft = draftOf(view);
  expect(inherited(view, 'brand')).toBe('#0f766e');
  expect(inherited(view, 'name')).toBeNull();
  expect(previewOf(view, draft)).toMatchObject({ name: 'Northwind', colours: { brand: '#0f766e', text_on_brand: '#ffffff' }, logo: { light: '/a/1' } });
  expect(previewOf(view, { ...draft, brand: '#ffee00' })).toMatchObject({ colours: { brand: '#ffee00', text_on_brand: '#000000' }, contrast: { ok: true } });
  expect(previewOf(view, { ...draft, brand: 'nonsense', support_url: 'https://help.example' })).toMatchObject({ colours: { brand: '#0f766e' }, support: { label: 'https://help.example' } });
});
it('an accent that is lost on a surface is named', () => { expect(faintOn('#ffff00')).toEqual(['light']); expect(faintOn('#202428')).toEqual(['dark']); expect(faintOn('#c2410c')).toEqual([]); });
