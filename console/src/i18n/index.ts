import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import type { Locale } from '../api/types';
import { en } from './en';
import type { enBusiness } from './en.business';

type Words<T> = { [K in keyof T]: T[K] extends string ? string : Words<T[K]> };
/** Every locale has exactly the keys of English; the compiler says so. */
export type Messages = Words<typeof en> & Words<typeof enBusiness>;

void i18next.use(initReactI18next).init({ lng: 'en', fallbackLng: 'en', resources: { en: { translation: en } }, interpolation: { escapeValue: false }, returnNull: false, showSupportNotice: false } as Parameters<typeof i18next.init>[0]);

export async function setLocale(locale: Locale) {
  if (locale === 'de' && !i18next.hasResourceBundle('de', 'translation')) i18next.addResourceBundle('de', 'translation', (await import('./de')).de);
  if (i18next.language !== locale) await i18next.changeLanguage(locale);
  document.documentElement.lang = locale;
}
/** Before anybody has signed in, what the browser asks for. */
export const browserLocale = (): Locale => (navigator.languages.find((l) => /^(en|de)\b/.test(l))?.startsWith('de') ? 'de' : 'en');
export default i18next;
