import type { Lang } from '../../api/types';
import { type Stem, textOf } from '../../i18n/translate';
import { en } from './en';
import { es, type MessageKey } from './es';

export type EditingKey = MessageKey | Stem<MessageKey>;

export const editingText = (lang: Lang, key: EditingKey, parameters: Record<string, string | number> = {}): string =>
  textOf(lang === 'es' ? es : en, lang, key, parameters);
