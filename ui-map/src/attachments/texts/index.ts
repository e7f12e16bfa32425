import type { Lang } from '../../api/types';
import { type Stem, textOf } from '../../i18n/translate';
import { en } from './en';
import { es, type MessageKey } from './es';

export type AttachmentKey = MessageKey | Stem<MessageKey>;
export type Say = (key: AttachmentKey, parameters?: Record<string, string | number>) => string;

export const sayIn =
  (lang: Lang): Say =>
  (key, parameters = {}) =>
    textOf(lang === 'es' ? es : en, lang, key, parameters);
