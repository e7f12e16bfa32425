import { RequestFailure, request } from '../api/client';
import type { App } from '../state/app.svelte';
import { isSection, parsePlace, SECTIONS, type Place, type Section } from './address';
import { translateAdmin, type AdminKey } from './texts/translate';

/** What was wrong, and with which field where it was one. */
export interface Refusal {
  field: string | null;
  text: string;
}

/** What the pages of the administration have in common: who is in, texts, requests, and what failed. */
export class Admin {
  constructor(readonly app: App) {}

  t = (key: AdminKey, parameters?: Record<string, string | number>): string =>
    translateAdmin(this.app.settings.lang, key, parameters);

  get lang() {
    return this.app.settings.lang;
  }

  /** The text of a family for a code that the server gives, or the code itself where it is a new one. */
  code = (family: string, code: string): string => {
    const key = `${family}_${code}` as AdminKey;
    const text = this.t(key);
    return text === key ? code : text;
  };

  /** The page that an address names. */
  place(path: string): Place {
    return parsePlace(path);
  }

  /** The sections that concern whoever is in. */
  get sections(): Section[] {
    const { session } = this.app;
    if (!session.account) return [];
    return Object.keys(SECTIONS).filter(isSection).filter((section) => {
      const wanted: readonly string[] = SECTIONS[section];
      return wanted.length === 0 || session.may(...wanted);
    });
  }

  may(...permissions: string[]): boolean {
    return this.app.session.may(...permissions);
  }

  say(text: string): void {
    this.app.say(text);
  }

  get = <T>(path: string, signal?: AbortSignal): Promise<T> => this.#ask<T>(path, {}, signal);

  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<T> {
    const { csrf } = this.app.session;
    return this.#ask(path, {
      method,
      headers: { 'content-type': 'application/json', ...(csrf === null ? {} : { 'x-csrf-token': csrf }), ...headers },
      body: JSON.stringify(body),
    });
  }

  async #ask<T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> {
    try {
      return await request<T>(path, init, signal);
    } catch (error) {
      // The session may have ended, or what it may do: the menu then says so.
      if (error instanceof RequestFailure && (error.status === 401 || error.status === 403)) void this.app.session.load();
      throw error;
    }
  }

  /** What to tell of a failure. The server's own words (English) only where ours would say less. */
  refusal(error: unknown): Refusal {
    if (!(error instanceof RequestFailure)) return { field: null, text: this.app.settings.t('serverError') };
    const { kind, status, detail, parameter } = error;
    if (kind === 'unreachable') return { field: null, text: this.app.settings.t('unreachable') };
    if (kind === 'server') return { field: null, text: this.t(status === 503 ? 'errorBusy' : 'errorServer') };
    if (status === 404) return { field: null, text: this.t('errorGone') };
    if (status === 409) return { field: null, text: this.t('errorExists') };
    if (status === 429) return { field: null, text: this.t('errorTooMany') };
    if (status === 412) return { field: null, text: this.t('errorChanged') };
    if (status === 401 || status === 403) return { field: null, text: this.t('errorForbidden', { detail: this.lang === 'en' ? (detail ?? '') : '' }) };
    if (parameter === null) return { field: null, text: detail ?? this.t('errorServer') };
    // attributes[2].values[0].color is of the field color.
    const member = parameter.replace(/\[\d+\]/g, '').split('.').filter((part) => part !== 'es' && part !== 'en').at(-1) ?? '';
    const key = `invalid_${member}` as AdminKey;
    const own = this.t(key);
    return { field: parameter, text: own === key ? (detail ?? parameter) : own };
  }

  /** An instant as people write it. */
  time = (text: string | null): string =>
    text ? new Intl.DateTimeFormat(this.lang, { dateStyle: 'medium', timeStyle: 'short' }).format(new Date(text)) : '—';

  /** A day as people write it. */
  day = (text: string | null): string =>
    text ? new Intl.DateTimeFormat(this.lang, { dateStyle: 'medium' }).format(new Date(text)) : '—';

  number = (value: number): string => new Intl.NumberFormat(this.lang).format(value);

  bytes = (value: number): string => {
    const units = ['B', 'kB', 'MB', 'GB', 'TB'];
    const step = value > 0 ? Math.min(units.length - 1, Math.floor(Math.log10(value) / 3)) : 0;
    return `${new Intl.NumberFormat(this.lang, { maximumFractionDigits: 1 }).format(value / 1000 ** step)} ${units[step]}`;
  };

  said = (text: { es?: string; en?: string } | undefined): string =>
    (this.lang === 'en' ? text?.en || text?.es : text?.es || text?.en) ?? '';
}

/** The end of a day that a form's field names, here, as the server takes instants; none where it is empty. */
export const endOfDay = (day: string): string | null => (day ? new Date(`${day}T23:59:59`).toISOString() : null);

/** The day, here, of an instant, as a form's field wants it. */
export function dayOf(instant: string | null): string {
  if (!instant) return '';
  const date = new Date(instant);
  const two = (value: number) => String(value).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** Today, as a form's field wants it: nothing ends before. */
export const today = (): string => dayOf(new Date().toISOString());

/** A text without case and accents, for looking for it. */
export const plain = (text: string): string =>
  text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase();
