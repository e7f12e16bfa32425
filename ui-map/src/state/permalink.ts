import type { Lang } from '../api/types';

export type ThemeChoice = 'auto' | 'light' | 'dark';

export interface LayerSetting {
  id: string;
  /** 0.1 to 1. */
  opacity: number;
}

/** What an address says of the map. What it does not say is left to the defaults. */
export interface Permalink {
  view: { zoom: number; lat: number; lon: number } | null;
  /** The DIVIPOLA code of the municipality, where one was chosen. */
  municipality: string | null;
  /** The switched-on layers, the lowest first. */
  layers: LayerSetting[];
  /** Whether the base map is drawn. */
  base: boolean;
  selected: { collection: string; id: string } | null;
  lang: Lang | null;
  theme: ThemeChoice | null;
  /** The moment of the past that is looked at (RFC 3339, UTC). */
  moment: string | null;
}

const ID = /^[a-z][a-z0-9_]{0,58}$/;

const MUNICIPALITY = /^\d{5}$/;

const number = (text: string | undefined, min: number, max: number): number | null => {
  if (text === undefined || text.trim() === '') return null;
  const value = Number(text);
  return Number.isFinite(value) && value >= min && value <= max ? value : null;
};

function readView(text: string | null): Permalink['view'] {
  const [zoomText, latText, lonText] = (text ?? '').split('/');
  const zoom = number(zoomText, 0, 22);
  const lat = number(latText, -85, 85);
  const lon = number(lonText, -180, 180);
  return zoom === null || lat === null || lon === null ? null : { zoom, lat, lon };
}

function readLayers(text: string | null): LayerSetting[] {
  const settings = new Map<string, LayerSetting>();
  for (const part of (text ?? '').split(',')) {
    const [id = '', percent] = part.split(':');
    if (!ID.test(id)) continue;
    settings.set(id, { id, opacity: (number(percent, 10, 100) ?? 100) / 100 });
  }
  return [...settings.values()];
}

function readSelected(text: string | null): Permalink['selected'] {
  const slash = (text ?? '').indexOf('/');
  if (!text || slash < 1) return null;
  const collection = text.slice(0, slash);
  const id = text.slice(slash + 1);
  return ID.test(collection) && id ? { collection, id } : null;
}

/** An instant of the calendar, written one way. */
export function readMoment(text: string | null): string | null {
  if (!text || !/^\d{4}-\d{2}-\d{2}T/.test(text)) return null;
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? null : date.toISOString();
}

const oneOf = <T extends string>(text: string | null, values: readonly T[]): T | null =>
  values.find((value) => value === text) ?? null;

/** Reads the part of an address after `#`. Anything odd in it is ignored: links get cut and edited. */
export function parsePermalink(hash: string): Permalink {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  return {
    view: readView(parameters.get('map')),
    municipality: parameters.get('city')?.match(MUNICIPALITY)?.[0] ?? null,
    layers: readLayers(parameters.get('layers')),
    base: parameters.get('base') !== '0',
    selected: readSelected(parameters.get('sel')),
    lang: oneOf(parameters.get('lang'), ['es', 'en'] as const),
    theme: oneOf(parameters.get('theme'), ['auto', 'light', 'dark'] as const),
    moment: readMoment(parameters.get('at')),
  };
}

/** Writes the part of an address after `#`; short, and readable where it can be. */
export function formatPermalink(link: Permalink): string {
  const parts: string[] = [];
  if (link.view) {
    const { zoom, lat, lon } = link.view;
    // Five decimals are a metre, which is finer than a pixel at zoom 17; six from there on.
    const decimals = zoom >= 17 ? 6 : 5;
    parts.push(`map=${Number(zoom.toFixed(2))}/${lat.toFixed(decimals)}/${lon.toFixed(decimals)}`);
  }
  if (link.municipality) parts.push(`city=${link.municipality}`);
  if (link.layers.length > 0) {
    const layers = link.layers.map(({ id, opacity }) => {
      const percent = Math.round(opacity * 100);
      return percent === 100 ? id : `${id}:${percent}`;
    });
    parts.push(`layers=${layers.join(',')}`);
  }
  if (!link.base) parts.push('base=0');
  if (link.selected) parts.push(`sel=${link.selected.collection}/${encodeURIComponent(link.selected.id)}`);
  if (link.lang) parts.push(`lang=${link.lang}`);
  if (link.theme) parts.push(`theme=${link.theme}`);
  if (link.moment) parts.push(`at=${link.moment.replace('.000Z', 'Z')}`);
  return parts.join('&');
}
