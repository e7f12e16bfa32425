import type { Lang } from '../../api/types';
import { en } from './en';
import { es, type AdminMessage } from './es';

type Stem<Key extends string> = Key extends `${infer Name}_other` ? Name : never;
/** What texts are asked for by: those that differ by a count, without their endings. */
export type AdminKey = AdminMessage | Stem<AdminMessage>;

const messages: Record<Lang, Record<AdminMessage, string>> = { es, en };

/** A text of the administration, as `translate` of the map's; the key itself where there is none. */
export function translateAdmin(lang: Lang, key: AdminKey, parameters: Record<string, string | number> = {}): string {
  const form = new Intl.PluralRules(lang).select(Number(parameters.count ?? 0)) === 'one' ? 'one' : 'other';
  const known = messages[lang] as Record<string, string>;
  const text = known[key] ?? known[`${key}_${form}`] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = parameters[name] ?? whole;
    return typeof value === 'number' ? new Intl.NumberFormat(lang).format(value) : value;
  });
}
