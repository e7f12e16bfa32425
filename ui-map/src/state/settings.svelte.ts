import type { Lang } from '../api/types';
import { preferredLang, translate, type TextKey } from '../i18n/translate';
import type { Theme } from '../map/style/palette';
import type { ThemeChoice } from './permalink';

const NEXT_THEME: Record<ThemeChoice, ThemeChoice> = { auto: 'light', light: 'dark', dark: 'auto' };

/** Language and theme: by the address, else by what was chosen before, else by the browser. */
export class Settings {
  lang = $state<Lang>('es');
  /** Whether the language was chosen, and so belongs in a permalink. */
  langChosen = $state(false);
  themeChoice = $state<ThemeChoice>('auto');
  #systemDark = $state(false);

  readonly theme: Theme = $derived(
    this.themeChoice === 'auto' ? (this.#systemDark ? 'dark' : 'light') : this.themeChoice,
  );

  constructor(lang: Lang | null, theme: ThemeChoice | null) {
    const stored = recall('lang');
    this.lang = lang ?? (stored === 'es' || stored === 'en' ? stored : preferredLang(navigator.languages));
    this.langChosen = lang !== null;
    const storedTheme = recall('theme');
    this.themeChoice = theme ?? (storedTheme === 'light' || storedTheme === 'dark' ? storedTheme : 'auto');
    const dark = matchMedia('(prefers-color-scheme: dark)');
    this.#systemDark = dark.matches;
    dark.addEventListener('change', (event) => (this.#systemDark = event.matches));
  }

  t = (key: TextKey, parameters?: Record<string, string | number>): string =>
    translate(this.lang, key, parameters);

  switchLang(): void {
    this.chooseLang(this.lang === 'es' ? 'en' : 'es');
    remember('lang', this.lang);
  }

  /** As an address says, for as long as the page lasts. */
  chooseLang(lang: Lang): void {
    this.lang = lang;
    this.langChosen = true;
  }

  switchTheme(): void {
    this.themeChoice = NEXT_THEME[this.themeChoice];
    remember('theme', this.themeChoice);
  }
}

// Private windows and locked-down browsers refuse storage: the choice then lasts as long as the page.
function recall(key: string): string | null {
  try {
    return localStorage.getItem(`lindero.${key}`);
  } catch {
    return null;
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(`lindero.${key}`, value);
  } catch {
    // As above.
  }
}
