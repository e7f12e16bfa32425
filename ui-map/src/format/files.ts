import type { Lang } from '../api/types';
import { formatNumber } from './values';

const UNITS = ['B', 'kB', 'MB', 'GB'];

/** How large a file is, as the systems' own file lists say it: by 1024. */
export function formatSize(bytes: number, lang: Lang): string {
  let step = 0;
  let value = bytes;
  while (value >= 999.5 && step < UNITS.length - 1) {
    value /= 1024;
    step += 1;
  }
  return `${formatNumber(value < 10 ? Math.round(value * 10) / 10 : Math.round(value), lang)} ${UNITS[step]}`;
}

/** The day of an instant (RFC 3339), in the reader's time zone. */
export const formatDay = (instant: string, lang: Lang): string => new Intl.DateTimeFormat(lang, { dateStyle: 'medium' }).format(new Date(instant));
