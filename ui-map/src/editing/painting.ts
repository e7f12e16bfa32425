import type { ExpressionSpecification, GeoJSONSourceSpecification, LayerSpecification } from 'maplibre-gl';

import type { Drawing } from '../map/controller';
import { palettes, type Theme } from '../map/style/palette';

/** What is drawn while something is edited or compared. */
export type Role =
  /** The feature that is worked on, others that changed, and those that go. */
  | 'chosen'
  | 'changed'
  | 'picked'
  | 'gone'
  /** The line that is drawn at the moment. */
  | 'sketch'
  /** Two versions beside each other. */
  | 'mine'
  | 'theirs'
  | 'vertex'
  | 'middle'
  | 'grabbed'
  | 'snap-vertex'
  | 'snap-edge'
  | 'fault';

export type Painted = GeoJSON.Feature<GeoJSON.Geometry, { role: Role; key?: string }>;

export const painted = (role: Role, geometry: GeoJSON.Geometry, key?: string): Painted => ({
  type: 'Feature',
  geometry,
  properties: key === undefined ? { role } : { role, key },
});

export const paintedPoint = (role: Role, position: readonly number[]): Painted =>
  painted(role, { type: 'Point', coordinates: [...position] });

/** Colours that differ in brightness too, and stand out from both base maps. */
const COLORS = {
  light: { mine: '#c2410c', theirs: '#1d4ed8', snap: '#047857', fault: '#b3202c' },
  dark: { mine: '#fb923c', theirs: '#7cb7ff', snap: '#34d399', fault: '#ff7b86' },
} as const;

const isRole = (...roles: Role[]): ['in', ['get', 'role'], ['literal', Role[]]] => ['in', ['get', 'role'], ['literal', roles]];

const HANDLES = ':handles';
const SHAPES = ':shapes';

const collection = (): GeoJSONSourceSpecification => ({ type: 'geojson', data: { type: 'FeatureCollection', features: [] } });

/** The layers in which what belongs to the draft can be pointed at. */
export const PIECE_LAYERS = ['editing:fill', 'editing:line', 'editing:point'];

/** The sources and layers, in the colours of a theme, with nothing on them. `name` keeps several apart. */
export function drawing(theme: Theme, name: string): Drawing {
  const palette = palettes[theme];
  const own = COLORS[theme];
  const [shapes, handles] = [`${name}${SHAPES}`, `${name}${HANDLES}`];
  const color = ['match', ['get', 'role'], 'mine', own.mine, 'theirs', own.theirs, 'gone', own.fault, palette.highlight] as never;
  const id = (layer: string): string => `${name}:${layer}`;
  const round = { 'line-join': 'round', 'line-cap': 'round' } as const;
  const line = { type: 'line' as const, source: shapes, layout: round };
  const isLine: ExpressionSpecification = ['!=', ['geometry-type'], 'Point'];
  const dot = { type: 'circle', source: handles } as const;
  const layers: LayerSpecification[] = [
    {
      id: id('fill'), type: 'fill', source: shapes, filter: ['==', ['geometry-type'], 'Polygon'],
      paint: { 'fill-color': color, 'fill-opacity': ['match', ['get', 'role'], ['changed', 'gone'], 0.08, 0.18] },
    },
    { id: id('casing'), ...line, filter: isLine, paint: { 'line-color': palette.highlightCasing, 'line-width': 6, 'line-opacity': 0.85 } },
    {
      id: id('line'), ...line,
      filter: ['all', isLine, ['!', isRole('theirs', 'sketch', 'gone')]],
      paint: { 'line-color': color, 'line-width': ['match', ['get', 'role'], ['chosen', 'mine', 'picked'], 3, 2] },
    },
    {
      id: id('dashed'), ...line,
      filter: ['all', isLine, isRole('theirs', 'sketch', 'gone')],
      paint: { 'line-color': color, 'line-width': 3, 'line-dasharray': [2, 1.5] },
    },
    {
      id: id('point'), type: 'circle', source: shapes, filter: ['==', ['geometry-type'], 'Point'],
      paint: {
        'circle-radius': ['match', ['get', 'role'], ['chosen', 'mine', 'picked'], 9, 7],
        'circle-color': color,
        'circle-opacity': ['match', ['get', 'role'], ['theirs', 'gone'], 0.35, 1],
        'circle-stroke-color': palette.highlightCasing,
        'circle-stroke-width': 2.5,
      },
    },
    {
      id: id('middles'), ...dot, filter: isRole('middle'),
      paint: { 'circle-radius': 4, 'circle-color': palette.highlightCasing, 'circle-opacity': 0.9, 'circle-stroke-color': palette.highlight, 'circle-stroke-width': 1.5 },
    },
    {
      id: id('vertices'), ...dot, filter: isRole('vertex', 'grabbed'),
      paint: {
        'circle-radius': ['match', ['get', 'role'], 'grabbed', 9, 6],
        'circle-color': ['match', ['get', 'role'], 'grabbed', own.mine, palette.highlight],
        'circle-stroke-color': palette.highlightCasing,
        'circle-stroke-width': 2,
      },
    },
    {
      id: id('snap'), ...dot, filter: isRole('snap-vertex', 'snap-edge'),
      paint: {
        'circle-radius': ['match', ['get', 'role'], 'snap-vertex', 11, 7],
        'circle-color': 'rgba(0,0,0,0)',
        'circle-stroke-color': own.snap,
        'circle-stroke-width': 3.5,
      },
    },
    {
      id: id('fault'), ...dot, filter: isRole('fault'),
      paint: { 'circle-radius': 14, 'circle-color': own.fault, 'circle-opacity': 0.25, 'circle-stroke-color': own.fault, 'circle-stroke-width': 3 },
    },
  ];
  return { sources: { [shapes]: collection(), [handles]: collection() }, layers };
}

/** Puts features on a drawing, which `show` tells of each source that is another. */
export function put(of: Drawing, name: string, content: { shapes: Painted[]; handles: Painted[] }, show: (source: string, data: GeoJSON.FeatureCollection) => void): void {
  for (const [source, features] of [[`${name}${SHAPES}`, content.shapes], [`${name}${HANDLES}`, content.handles]] as const) {
    const data: GeoJSON.FeatureCollection = { type: 'FeatureCollection', features };
    of.sources[source]!.data = data;
    show(source, data);
  }
}
