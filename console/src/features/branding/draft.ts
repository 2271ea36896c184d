import { BRAND_ASSETS, BRAND_TEXTS, type Brand, type BrandAssetKind, type BrandField, type BrandView } from '../../api';
import { asColour, contrast, isColour, textOn } from '../../ui';

type TextField = (typeof BRAND_TEXTS)[number];
/** What the form holds: empty text is inherited; a picture is its asset, or null when it is inherited. */
export type BrandDraft = Record<TextField, string> & { assets: Record<BrandAssetKind, { id: string; url: string } | null> };

const shownAt = (brand: Brand, kind: BrandAssetKind) => ({ logo_light: brand.logo.light, logo_dark: brand.logo.dark, favicon: brand.favicon })[kind] ?? '';
export function draftOf(view: BrandView): BrandDraft {
  const texts = Object.fromEntries(BRAND_TEXTS.map((f) => [f, view.own[f] ?? ''])) as Record<TextField, string>;
  const assets = Object.fromEntries(BRAND_ASSETS.map((k) => { const id = view.own[k]; return [k, id ? { id, url: shownAt(view.brand, k) } : null]; })) as BrandDraft['assets'];
  return { ...texts, assets };
}
/** What would be sent: only what differs; null goes back to what is inherited. */
export function changesOf(view: BrandView, draft: BrandDraft): Partial<Record<BrandField, string | null>> {
  const out: Partial<Record<BrandField, string | null>> = {};
  for (const f of BRAND_TEXTS) {
    const typed = draft[f].trim();
    const next = typed === '' ? null : f === 'brand' || f === 'accent' ? (asColour(typed) ?? typed) : typed;
    if (next !== view.own[f]) out[f] = next;
  }
  for (const k of BRAND_ASSETS) { const next = draft.assets[k]?.id ?? null; if (next !== view.own[k]) out[k] = next; }
  return out;
}
/** The value of a field that is not set here; null when only the server knows it. */
export const inherited = (view: BrandView, field: BrandField): string | null => (view.own[field] === null ? (view.effective[field]?.value ?? null) : null);

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
