import type { Lang } from '../api/types';
import { en } from './en';
import { es, type MessageKey } from './es';

const messages: Record<Lang, Record<MessageKey, string>> = { es, en };

export type Stem<Key extends string> = Key extends `${infer Name}_other` ? Name : never;
/** What texts are asked for by: those that differ by a count, without their endings. */
export type TextKey = MessageKey | Stem<MessageKey>;

/**
 * A text of the application; `{name}` in it is replaced by the parameter of that name, and of one that
 * differs by its `count` the form is taken that the language has for the number.
 */
export const translate = (lang: Lang, key: TextKey, parameters: Record<string, string | number> = {}): string =>
  textOf(messages[lang], lang, key, parameters);

/** A text of the application, or of a part of it that has its own. */
export function textOf(texts: Readonly<Record<string, string>>, lang: Lang, key: string, parameters: Record<string, string | number>): string {
  const text = texts[key] ?? texts[`${key}_${formOf(lang, parameters.count)}`] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => String(parameters[name] ?? whole));
}

/** Spanish has a third form, for millions, which no count here reaches. */
const formOf = (lang: Lang, count: string | number | undefined): 'one' | 'other' =>
  new Intl.PluralRules(lang).select(Number(count)) === 'one' ? 'one' : 'other';

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
