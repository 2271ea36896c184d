import 'i18next';
import type { en } from './en';
import type { enBusiness } from './en.business';
import type { enHub } from './en.hub';

declare module 'i18next' { interface CustomTypeOptions { defaultNS: 'translation'; resources: { translation: typeof en & typeof enBusiness & typeof enHub } } }
