import type { LayerSpecification } from 'maplibre-gl';

import { nameAttribute } from '../../catalogue/collections';
import { type BaseCollection, byClass, CITY, FONT, FROM, type Has, isLine, sortKey, source } from './base';
import { markImage } from './images';
import type { Palette } from './palette';

/** An area's name is in its middle, or a little off where that is taken: by a mark, by another name. */
const BESIDE = ['center', [0, 0], 'top', [0, 1.2], 'bottom', [0, -1.2]];
/** Of small areas not before that little is still theirs. */
const BESIDE_IN_SMALL = ['step', ['zoom'], ['literal', ['center', [0, 0]]], 14, ['literal', BESIDE]];

/** The texts of the base map. MapLibre gives the last layer's texts their room first. */
export function texts(has: Has, p: Palette): LayerSpecification[] {
  const layers: LayerSpecification[] = [];
  const halo = { 'text-halo-color': p.halo, 'text-halo-width': 1.4, 'text-halo-blur': 0.4 };
  const streetName = nameAttribute(has('vias'));
  const waterName = nameAttribute(has('hidrografia'));
  const place = (id: BaseCollection, minzoom: number, maxzoom: number, layout: object, color: string) => {
    if (!has(id)) return;
    layers.push({
      id: `base:${id}:place`,
      type: 'symbol',
      ...source(id, 'labels'),
      minzoom,
      maxzoom,
      layout: { 'text-field': ['get', 'name'], 'text-font': FONT.regular, 'text-max-width': 7, 'text-padding': 4, 'text-variable-anchor-offset': BESIDE, ...layout },
      paint: { ...halo, 'text-color': color },
    } as LayerSpecification);
  };
  if (has('predios')) {
    layers.push({
      id: 'base:predios:text',
      type: 'symbol',
      ...source('predios'),
      minzoom: 17.5,
      layout: {
        'text-field': ['coalesce', ['get', 'direccion'], ''],
        'text-font': FONT.regular,
        'text-size': 10.5,
        'text-max-width': 5,
        'text-padding': 4,
      },
      paint: { ...halo, 'text-color': p.minorText },
    });
  }
  if (has('vias')) {
    layers.push({
      id: 'base:vias:text',
      type: 'symbol',
      ...source('vias'),
      minzoom: 13,
      filter: [
        'step', ['zoom'],
        ['in', ['get', 'jerarquia'], ['literal', ['arteria']]],
        14, ['in', ['get', 'jerarquia'], ['literal', ['arteria', 'principal', 'colectora']]],
        15.2, true,
      ],
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': 320,
        'symbol-sort-key': ['-', 0, sortKey],
        'text-field': ['coalesce', ['get', streetName], ''],
        'text-font': FONT.regular,
        'text-size': [
          'interpolate', ['linear'], ['zoom'],
          13, byClass((name) => (name === 'arteria' ? 11 : 10)),
          16, byClass((name) => (name === 'arteria' || name === 'principal' ? 13 : 11.5)),
          19, byClass((name) => (name === 'arteria' || name === 'principal' ? 17 : 15)),
        ],
        'text-letter-spacing': 0.02,
        'text-max-angle': 30,
        'text-padding': 3,
      },
      paint: { ...halo, 'text-color': p.streetText, 'text-halo-width': 1.6 },
    });
  }
  if (has('hidrografia')) {
    layers.push({
      id: 'base:hidrografia:text',
      type: 'symbol',
      ...source('hidrografia'),
      minzoom: 11,
      filter: ['all', isLine, ['step', ['zoom'], ['==', ['get', 'tipo'], 'rio'], 13.5, true]],
      layout: {
        'symbol-placement': 'line',
        'symbol-spacing': 420,
        'text-field': ['coalesce', ['get', waterName], ''],
        'text-font': FONT.italic,
        'text-size': ['interpolate', ['linear'], ['zoom'], 11, 11, 17, 15],
        'text-letter-spacing': 0.08,
        'text-max-angle': 32,
      },
      paint: { ...halo, 'text-color': p.waterText },
    });
  }
  // Rivers that are areas have their text once, from their own tile layer of points.
  place('hidrografia', 12, 22, { 'text-size': 12, 'text-font': FONT.italic, 'text-letter-spacing': 0.06 }, p.waterText);
  if (has('centros_poblados')) {
    layers.push({
      id: 'base:centros_poblados:text',
      type: 'symbol',
      ...source('centros_poblados'),
      minzoom: FROM.centros_poblados,
      maxzoom: 16,
      layout: {
        'text-field': ['coalesce', ['get', nameAttribute(has('centros_poblados'))], ''],
        'text-font': FONT.regular,
        'text-size': ['interpolate', ['linear'], ['zoom'], 10.5, 11, 15, 14],
        'icon-image': markImage('circle', p.placeText, p.halo),
        'icon-size': 0.35,
        'text-anchor': 'bottom',
        'text-offset': [0, -0.4],
        'text-padding': 4,
      },
      paint: { ...halo, 'text-color': p.placeText },
    });
  }
  place('veredas', 12.4, 16, { 'text-size': 11, 'text-font': FONT.italic }, p.ruralText);
  place('barrios', 13, 17.5, {
    'text-size': ['interpolate', ['linear'], ['zoom'], 13, 10.5, 16, 14],
    'text-font': FONT.bold,
    'text-padding': ['step', ['zoom'], 6, 14, 4],
    'text-variable-anchor-offset': BESIDE_IN_SMALL,
  }, p.minorText);
  place('corregimientos', 9.5, 13, { 'text-size': ['interpolate', ['linear'], ['zoom'], 9, 10.5, 13, 14], 'text-font': FONT.bold }, p.ruralText);
  place('comunas', CITY_TO, 14, {
    'text-size': ['interpolate', ['linear'], ['zoom'], CITY_TO, 10.5, 13.5, 15],
    'text-font': FONT.bold,
    'text-transform': 'uppercase',
    'text-letter-spacing': 0.12,
  }, p.placeText);
  layers.push(...cityText(has, p));
  return layers;
}

/** From here on the city is told by its parts. */
const CITY_TO = 11.5;

/** The municipality's name: where its city is; where nobody knows that, somewhere in the municipality. */
function cityText(has: Has, p: Palette): LayerSpecification[] {
  const layout = { 'text-font': FONT.bold, 'text-size': ['interpolate', ['linear'], ['zoom'], 8, 15, 11, 19], 'text-max-width': 7, 'text-padding': 6 };
  const paint = { 'text-color': p.placeText, 'text-halo-color': p.halo, 'text-halo-width': 1.8, 'text-halo-blur': 0.4 };
  const text = { type: 'symbol', maxzoom: CITY_TO, layout: { ...layout, 'text-field': ['get', 'name'] }, paint };
  if (has.city) return [{ id: 'base:city', source: CITY, ...text } as LayerSpecification];
  return has('limite_municipal')
    ? [{ id: 'base:limite_municipal:place', ...source('limite_municipal', 'labels'), ...text } as LayerSpecification]
    : [];
}
