import { BRAND_ASSETS, type Brand, type BrandAssetKind, type BrandChange, type BrandField, type BrandView } from '../../api';
import { asColour, contrast, isColour, textOn } from '../../ui';

/** The texts of the form, and the field of the API that each belongs to. */
export const TEXTS = { name: 'name', brand: 'colours.brand', accent: 'colours.accent', support_label: 'support', support_url: 'support', email_footer: 'email_footer', sign_in_text: 'sign_in_text' } as const satisfies Record<string, BrandField>;
export type TextField = keyof typeof TEXTS;
const FIELDS = Object.keys(TEXTS) as TextField[];
/** What the form holds: empty text is inherited; a picture is its asset, or null when it is inherited. */
export type BrandDraft = Record<TextField, string> & { assets: Record<BrandAssetKind, { id: string; url: string } | null> };

const shownAt = (brand: Brand, kind: BrandAssetKind) => ({ logo_light: brand.logo.light, logo_dark: brand.logo.dark, favicon: brand.favicon })[kind] ?? '';
const ownText = ({ own }: BrandView): Record<TextField, string | null> => ({ name: own.name, brand: own.colours.brand, accent: own.colours.accent, support_label: own.support?.label ?? null, support_url: own.support?.url ?? null, email_footer: own.email_footer, sign_in_text: own.sign_in_text });
export function draftOf(view: BrandView): BrandDraft {
  const own = ownText(view);
  const texts = Object.fromEntries(FIELDS.map((f) => [f, own[f] ?? ''])) as Record<TextField, string>;
  const assets = Object.fromEntries(BRAND_ASSETS.map((k) => { const id = view.own[k]; return [k, id ? { id, url: shownAt(view.brand, k) } : null]; })) as BrandDraft['assets'];
  return { ...texts, assets };
}
/** What would be sent: only what differs; null goes back to what is inherited. */
export function changesOf(view: BrandView, draft: BrandDraft): BrandChange {
  const out: BrandChange = {};
  const own = ownText(view);
  const typed = (f: TextField) => draft[f].trim() || null;
  const colour = (f: 'brand' | 'accent') => { const s = typed(f); return s && (asColour(s) ?? s); };
  for (const f of ['name', 'email_footer', 'sign_in_text'] as const) if (typed(f) !== own[f]) out[f] = typed(f);
  for (const f of ['brand', 'accent'] as const) if (colour(f) !== own[f]) out.colours = { ...out.colours, [f]: colour(f) };
  const [label, url] = [typed('support_label'), typed('support_url')];
  if (label !== own.support_label || url !== own.support_url) out.support = label || url ? { label: label ?? url!, url: url ?? '' } : null;
  for (const k of BRAND_ASSETS) { const next = draft.assets[k]?.id ?? null; if (next !== view.own[k]) out[k] = next; }
  return out;
}
/** The value of a text that is not set here; null when only the server knows it. */
export function inherited(view: BrandView, field: TextField): string | null {
  if (ownText(view)[field] !== null) return null;
  const value = view.effective[TEXTS[field]]?.value ?? null;
  return typeof value === 'object' ? (value && (field === 'support_label' ? value.label : value.url)) : value;
}
/** The layer that an unset field comes from. */
export function layerOf(view: BrandView, field: TextField | BrandAssetKind) {
  const isSet = field in TEXTS ? ownText(view)[field as TextField] !== null : view.own[field as BrandAssetKind] !== null;
  return isSet ? undefined : view.effective[field in TEXTS ? TEXTS[field as TextField] : (field as BrandAssetKind)]?.layer;
}

const PLAIN = '#0f766e';
/** How it would look: the draft over what is inherited. */
export function previewOf(view: BrandView, draft: BrandDraft): Brand {
  const text = (f: TextField) => draft[f].trim() || (inherited(view, f) ?? '');
  const picture = (k: BrandAssetKind) => draft.assets[k]?.url ?? (view.own[k] === null ? shownAt(view.brand, k) || null : null);
  const typed = asColour(draft.brand);
  const colour = typed ?? (draft.brand.trim() === '' ? inherited(view, 'brand') : null) ?? (isColour(view.brand.colours.brand) ? view.brand.colours.brand : PLAIN);
  const on = textOn(colour);
  const ratio = contrast(colour, on);
  const url = text('support_url');
  return { ...view.brand, name: text('name') || view.brand.name, colours: { brand: colour, text_on_brand: on, accent: asColour(text('accent')) }, logo: { light: picture('logo_light'), dark: picture('logo_dark') }, favicon: picture('favicon'), support: url ? { label: text('support_label') || url, url } : null, email_footer: text('email_footer') || null, sign_in_text: text('sign_in_text') || null, contrast: { ratio, ok: ratio >= 4.5 } };
}
/** An accent is drawn on light and on dark surfaces, where graphics need 3 (WCAG 2.2, 1.4.11). */
export const faintOn = (accent: string): ('light' | 'dark')[] => [contrast(accent, '#ffffff') < 3 && ('light' as const), contrast(accent, '#14171c') < 3 && ('dark' as const)].filter((x) => x !== false);
