import type { Attribute, Lang } from '../api/types';
import { translate } from '../i18n/translate';

/** What numbers and dates are written with: the Spanish of Colombia, and plain English. */
const LOCALES: Record<Lang, string> = { es: 'es-CO', en: 'en-GB' };

/** Unit codes that people write otherwise. */
const UNITS: Record<string, string> = { m2: 'm²', m3: 'm³', km2: 'km²', deg: '°', percent: '%', har: 'ha' };

/** A unit as people write it; UCUM puts what is no physical unit in brackets: `[COP]`, `{personas}`. */
export const unitText = (unit: string): string => UNITS[unit] ?? unit.replace(/^[[{](.*)[\]}]$/, '$1');

export function formatNumber(value: number, lang: Lang): string {
  return new Intl.NumberFormat(LOCALES[lang], {
    // Coordinates and small shares need their digits, large areas do not.
    ...(Math.abs(value) >= 1000 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 7 }),
    // Four digits stand together: years and door numbers are not "2.021".
    useGrouping: Math.abs(value) >= 10_000,
  }).format(value);
}

/** A date (`2026-11-20`) or an instant (RFC 3339, shown in the reader's time zone). Odd text stays as it is. */
export function formatDate(value: string, lang: Lang): string {
  if (!/^\d{4}-\d{2}-\d{2}/.test(value)) return value;
  const onlyDate = value.length === 10;
  const date = new Date(onlyDate ? `${value}T00:00:00Z` : value);
  if (Number.isNaN(date.getTime())) return value;
  return new Intl.DateTimeFormat(LOCALES[lang], {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    ...(onlyDate ? { timeZone: 'UTC' } : { hour: 'numeric', minute: '2-digit' }),
  }).format(date);
}

/** A value as people read it: by its domain's title, with its unit, in the words of the language. */
export function formatValue(attribute: Attribute, value: unknown, lang: Lang): string {
  if (value === null || value === undefined || value === '') return translate(lang, 'noValue');
  const coded = attribute.domain?.values?.find((candidate) => String(candidate.value) === String(value));
  if (coded) return coded.title[lang];
  const unit = attribute.unit ? ` ${unitText(attribute.unit)}` : '';
  if (typeof value === 'boolean') return translate(lang, value ? 'yes' : 'no');
  if (typeof value === 'number') return `${formatNumber(value, lang)}${unit}`;
  if (typeof value === 'object') return JSON.stringify(value);
  const text = String(value);
  if (attribute.type === 'date' || attribute.type === 'date_time') return formatDate(text, lang);
  return `${text}${unit}`;
}

/** A point, latitude first as people say it; five decimals are a metre. */
export const formatPoint = (lon: number, lat: number): string => `${lat.toFixed(5)}, ${lon.toFixed(5)}`;
