import type { Messages } from '.';
import { en } from './en';
import { deTenant } from './de.tenant';
export const de: Messages = { ...en, ...deTenant };
