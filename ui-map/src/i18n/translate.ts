import type { Lang } from '../api/types';
import { en } from './en';
import { es, type MessageKey } from './es';

const messages: Record<Lang, Record<MessageKey, string>> = { es, en };

type Stem<Key extends string> = Key extends `${infer Name}_other` ? Name : never;
/** What texts are asked for by: those that differ by a count, without their endings. */
export type TextKey = MessageKey | Stem<MessageKey>;

/**
 * A text of the application; `{name}` in it is replaced by the parameter of that name, and of one that
 * differs by its `count` the form is taken that the language has for the number.
 */
export function translate(lang: Lang, key: TextKey, parameters: Record<string, string | number> = {}): string {
  return messages[lang][formOf(lang, key, parameters.count)].replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

function formOf(lang: Lang, key: TextKey, count: string | number | undefined): MessageKey {
  if (key in es) return key as MessageKey;
  // Spanish has a third form, for millions, which no count here reaches.
  const form = new Intl.PluralRules(lang).select(Number(count)) === 'one' ? 'one' : 'other';
  return `${key}_${form}` as MessageKey;
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
