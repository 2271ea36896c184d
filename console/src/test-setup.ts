import i18n from './i18n';
import { enHub } from './i18n/en.hub';

i18n.addResourceBundle('en', 'translation', enHub, true, true);

window.scrollTo = () => undefined;
window.matchMedia ??= ((query: string) => ({ matches: false, media: query, addEventListener() {}, removeEventListener() {}, addListener() {}, removeListener() {}, onchange: null, dispatchEvent: () => false })) as never;
