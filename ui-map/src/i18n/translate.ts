import type { Lang } from '../api/types';
import { en } from './en';
import { es, type MessageKey } from './es';

const messages: Record<Lang, Record<MessageKey, string>> = { es, en };

/** A text of the application; `{name}` in it is replaced by the parameter of that name. */
export function translate(lang: Lang, key: MessageKey, parameters: Record<string, string | number> = {}): string {
  return messages[lang][key].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

/** The text for a code that the server gives, or the code itself where it is a new one. */
export function translateCode(lang: Lang, family: 'frequency' | 'visibility', code: string): string {
  const key = `${family}_${code}`;
  return key in es ? messages[lang][key as MessageKey] : code;
}

/** The first of the browser's languages that the application speaks; Spanish where it speaks none. */
export function preferredLang(languages: readonly string[]): Lang {
  for (const language of languages) {
    const primary = language.toLowerCase().split('-')[0];
    if (primary === 'es' || primary === 'en') return primary;
  }
  return 'es';
}
