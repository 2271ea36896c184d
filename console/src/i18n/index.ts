import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { Locale } from '../api/types';
import { en } from './en';
import type { enBusiness } from './en.business';

type Words<T> = { [K in keyof T]: T[K] extends string ? string : Words<T[K]> };
/** Every locale has exactly the keys of English; the compiler says so. */
export type Messages = Words<typeof en> & Words<typeof enBusiness>;

/** Words that only some pages say: they come with those pages and are no part of the first load. */
const PARTS = {
  hub: { en: () => import('./en.hub').then((m) => m.enHub), de: () => import('./de.hub').then((m) => m.deHub) },
} as const satisfies Record<string, Record<Locale, () => Promise<object>>>;
export type Part = keyof typeof PARTS;
const wanted = new Set<Part>();
const had = new Set<string>();
async function add(part: Part, locale: Locale) {
  if (had.has(part + locale)) return;
  i18next.addResourceBundle(locale, 'translation', await PARTS[part][locale](), true, true);
  had.add(part + locale);
}
/** A page's loader that waits for its words too. */
export const withWords = <T>(part: Part, load: () => Promise<T>) => async (): Promise<T> => {
  wanted.add(part);
  const [page] = await Promise.all([load(), add(part, i18next.language as Locale)]);
  return page;
};

void i18next.use(initReactI18next).init({ lng: 'en', fallbackLng: 'en', resources: { en: { translation: { ...en } } }, interpolation: { escapeValue: false }, returnNull: false, showSupportNotice: false } as Parameters<typeof i18next.init>[0]);

export async function setLocale(locale: Locale) {
  if (locale === 'de' && !i18next.hasResourceBundle('de', 'translation')) i18next.addResourceBundle('de', 'translation', (await import('./de')).de);
  await Promise.all([...wanted].map((part) => add(part, locale)));
  if (i18next.language !== locale) await i18next.changeLanguage(locale);
  document.documentElement.lang = locale;
}
/** Before anybody has signed in, what the browser asks for. */
export const browserLocale = (): Locale => (navigator.languages.find((l) => /^(en|de)\b/.test(l))?.startsWith('de') ? 'de' : 'en');
export default i18next;
