import type { ExpressionSpecification, LayerSpecification, SourceSpecification, StyleSpecification } from 'maplibre-gl';

import type { Bounds, Collection, Feature } from '../../api/types';
import { boundsOf, URBAN } from '../../catalogue/collections';
import type { LayerSetting } from '../../state/permalink';
import { tileTemplate } from '../tiles';
import { BASE_COLLECTIONS, type BaseCollection, CITY, type Has } from './base';
import { baseLayers } from './basemap';
import { overlayLayers } from './overlay';
import { palettes, type Theme } from './palette';

/** All that the drawing depends on. The style is a function of it; MapLibre finds out what changed. */
export interface Picture {
  collections: Collection[];
  municipality: string | null;
  municipalityName: string | null;
  layers: LayerSetting[];
  base: boolean;
  theme: Theme;
  /** What is chosen. */
  highlighted: Feature | null;
  /** The point that was asked about. */
  point: [lon: number, lat: number] | null;
  /** Features that are drawn otherwise, as they are being edited. */
  hidden?: ReadonlyMap<string, readonly number[]>;
  /** The moment of the past that is looked at, in layers that have one. */
  moment?: string | null;
}

/** Our own sources, named as no collection can be. */
const HIGHLIGHT = ':highlight';
const ASKED = ':asked';

/** Beyond these zooms tiles are stretched instead of fetched: their grid is then finer than a pixel's worth. */
const DEEPEST: Partial<Record<string, number>> = {
  limite_municipal: 13,
  corregimientos: 13,
  comunas: 13,
  veredas: 14,
  barrios: 14,
  hidrografia: 14,
  manzanas: 15,
  vias: 15,
};
const DEEPEST_OTHERS = 16;
/** MapLibre's own bound of a layer's zoom. */
const HIGHEST_ZOOM = 24;

/**
 * Bounds in steps of a fiftieth of a degree, some 2 km: they spare requests far away. A source with other bounds is
 * another source for MapLibre, which would draw it anew from nothing whenever an edit moved the edge.
 */
function roundedOut([west, south, east, north]: Bounds): Bounds {
  const STEPS = 50;
  const out = (degrees: number, round: (value: number) => number) => round(degrees * STEPS) / STEPS;
  return [out(west, Math.floor), out(south, Math.floor), out(east, Math.ceil), out(north, Math.ceil)];
}

function vectorSource(collection: Collection, moment: string | null): SourceSpecification {
  const known = boundsOf(collection);
  const bounds = known && roundedOut(known);
  const maxzoom = DEEPEST[collection.id] ?? DEEPEST_OTHERS;
  return {
    type: 'vector',
    tiles: [tileTemplate(collection.id, collection.lindero.history ? moment : null)],
    // A source cannot begin past its own end.
    minzoom: Math.min(maxzoom, Math.max(0, Math.floor(collection.lindero.minZoom ?? 0))),
    maxzoom,
    ...(bounds ? { bounds } : {}),
  };
}

/** The city's name in its middle, where a layer tells where the city is. */
function cityOf(shown: Map<string, Collection>, name: string | null): GeoJSON.Feature | null {
  const bounds = URBAN.filter((id) => id !== 'vias').map((id) => shown.get(id)).flatMap((found) => (found ? (boundsOf(found) ?? []) : []));
  const [west, south, east, north] = bounds;
  if (!name || west === undefined || south === undefined || east === undefined || north === undefined) return null;
  const middle = [(west + east) / 2, (south + north) / 2];
  return { type: 'Feature', properties: { name }, geometry: { type: 'Point', coordinates: middle } };
}

function highlightLayers(picture: Picture): LayerSpecification[] {
  const p = palettes[picture.theme];
  const common = { source: HIGHLIGHT };
  return [
    {
      id: 'highlight:fill', type: 'fill', ...common, filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': p.highlight, 'fill-opacity': 0.14 },
    },
    {
      id: 'highlight:casing', type: 'line', ...common, filter: ['!=', ['geometry-type'], 'Point'],
      layout: { 'line-join': 'round', 'line-cap': 'round' },
      paint: { 'line-color': p.highlightCasing, 'line-width': 6, 'line-opacity': 0.9 },
    },
    {
      id: 'highlight:line', type: 'line', ...common, filter: ['!=', ['geometry-type'], 'Point'],
      layout: { 'line-join': 'round', 'line-cap': 'round' },
      paint: { 'line-color': p.highlight, 'line-width': 3 },
    },
    {
      id: 'highlight:ring', type: 'circle', ...common, filter: ['==', ['geometry-type'], 'Point'],
      paint: {
        'circle-radius': 13, 'circle-color': 'rgba(0,0,0,0)',
        'circle-stroke-color': p.highlight, 'circle-stroke-width': 3,
      },
    },
    {
      id: 'highlight:asked', type: 'circle', source: ASKED,
      paint: {
        'circle-radius': 5, 'circle-color': p.highlight,
        'circle-stroke-color': p.highlightCasing, 'circle-stroke-width': 2,
      },
    },
  ];
}

/** A name of the base map, as long as no switched-on layer writes the same one. */
function notTwice(text: LayerSpecification, others: LayerSpecification[]): LayerSpecification[] {
  const id = /^base:(\w+):place$/.exec(text.id)?.[1];
  const other = others.find((other) => other.id === `over:${id}:label`);
  if (!other) return [text];
  const maxzoom = Math.min(text.maxzoom ?? HIGHEST_ZOOM, other.minzoom ?? 0);
  return maxzoom > (text.minzoom ?? 0) ? [{ ...text, maxzoom }] : [];
}

/** A layer that does not draw the features that are drawn otherwise. */
function without(layer: LayerSpecification, hidden: Picture['hidden']): LayerSpecification {
  const ids = 'source' in layer && typeof layer.source === 'string' ? hidden?.get(layer.source) : undefined;
  if (!ids || ids.length === 0) return layer;
  const others: ExpressionSpecification = ['!', ['in', ['id'], ['literal', [...ids]]]];
  const own = 'filter' in layer && layer.filter ? [layer.filter] : [];
  return { ...layer, filter: ['all', ...own, others] } as LayerSpecification;
}

/** The style of the whole map: base map, switched-on layers between its storeys, highlight on top. */
export function buildStyle(picture: Picture): StyleSpecification {
  const palette = palettes[picture.theme];
  const moment = picture.moment ?? null;
  const shown = new Map(
    picture.collections
      .filter((c) => !picture.municipality || c.lindero.municipality === picture.municipality)
      .map((c) => [c.id, c]),
  );
  const city = picture.base ? cityOf(shown, picture.municipalityName) : null;
  const has: Has = Object.assign((id: BaseCollection) => (picture.base ? shown.get(id) : undefined), { city: city !== null });
  const base = baseLayers(has, palette);
  const overlays = picture.layers.flatMap((setting) => {
    const collection = picture.collections.find((c) => c.id === setting.id);
    return collection ? [{ collection, layers: overlayLayers(collection, setting, palette) }] : [];
  });

  const sources: Record<string, SourceSpecification> = {
    [HIGHLIGHT]: {
      type: 'geojson',
      data: { type: 'FeatureCollection', features: picture.highlighted ? [picture.highlighted as GeoJSON.Feature] : [] },
    },
    [ASKED]: {
      type: 'geojson',
      data: {
        type: 'FeatureCollection',
        features: picture.point
          ? [{ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: picture.point } }]
          : [],
      },
    },
  };
  if (city) sources[CITY] = { type: 'geojson', data: city };
  for (const id of BASE_COLLECTIONS) {
    const collection = has(id);
    if (collection) sources[id] = vectorSource(collection, moment);
  }
  for (const { collection } of overlays) sources[collection.id] ??= vectorSource(collection, moment);

  return {
    version: 8,
    name: 'Lindero',
    sources,
    layers: [
      ...base.ground,
      ...overlays.flatMap(({ layers }) => layers.areas),
      ...base.streets,
      ...overlays.flatMap(({ layers }) => layers.lines),
      ...base.texts.flatMap((text) => notTwice(text, overlays.flatMap(({ layers }) => layers.texts))),
      ...overlays.flatMap(({ layers }) => layers.marks),
      ...overlays.flatMap(({ layers }) => layers.texts),
      ...highlightLayers(picture),
    ].map((layer) => without(layer, picture.hidden)),
  };
}
