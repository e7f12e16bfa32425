import { parse } from 'bowser';

import type { Lang } from '../api/types';

const WORDS: Record<Lang, { on: string; unknown: string }> = {
  es: { on: 'en', unknown: 'Navegador desconocido' },
  en: { on: 'on', unknown: 'Unknown browser' },
};

/** What a person calls the browser that calls itself so: `Chrome en Windows`. */
export function browserOf(agent: string, lang: Lang): string {
  const { on, unknown } = WORDS[lang];
  // The library refuses a text that is none.
  const { browser, os } = agent ? parse(agent) : { browser: {}, os: {} };
  return [browser.name, os.name].filter(Boolean).join(` ${on} `) || unknown;
}
