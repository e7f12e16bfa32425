import type { ExpressionSpecification, LayerSpecification } from 'maplibre-gl';

import type { Collection } from '../../api/types';
import { type BaseCollection, byClass, fade, FROM, grow, type Has, isArea, isLine, sortKey, source } from './base';
import { texts } from './basemap-texts';
import type { Palette, StreetClass } from './palette';

/** Base layers by where overlays go: areas under the streets, lines and marks over them, texts on top. */
export interface BaseLayers {
  ground: LayerSpecification[];
  streets: LayerSpecification[];
  texts: LayerSpecification[];
}

/** A street network without classes comes whole or not at all: it must wait until it fits into a tile. */
const CLASSLESS_STREETS_FROM = 12;

const hasClasses = (streets: Collection | undefined): boolean =>
  streets?.lindero.attributes.some(({ name }) => name === 'jerarquia') ?? false;

/** Widths in CSS pixels of a street without its casing, at z11, 13, 15, 17, 19. */
const WIDTHS: Record<StreetClass, [number, number, number, number, number]> = {
  peatonal: [0, 0, 1, 3.5, 10],
  rural: [0.4, 0.9, 2.4, 6, 16],
  local: [0.25, 0.8, 3, 10, 34],
  colectora: [0.5, 1.5, 4.6, 14, 44],
  principal: [0.9, 2.3, 6.2, 18, 54],
  arteria: [1.4, 3.2, 7.8, 22, 64],
};
const ZOOMS = [11, 13, 15, 17, 19] as const;

/** A value for each class; of a network without classes that of collectors: local streets alone would be a haze. */
type ByClass = <T>(value: (name: StreetClass) => T) => ExpressionSpecification;
const asCollectors: ByClass = (value) => ['literal', value('colectora')] as unknown as ExpressionSpecification;

const streetWidth = (by: ByClass, more: number): ExpressionSpecification =>
  grow(...ZOOMS.map((zoom, i): [number, ExpressionSpecification] => [
    zoom,
    by((name) => WIDTHS[name][i]! + (WIDTHS[name][i]! > 0 ? more * (0.5 + i * 0.25) : 0)),
  ]));

function ground(has: Has, p: Palette): LayerSpecification[] {
  const layers: LayerSpecification[] = [
    { id: 'background', type: 'background', paint: { 'background-color': has('limite_municipal') ? p.beyond : p.land } },
  ];
  const fill = (id: BaseCollection, color: string | ExpressionSpecification, minzoom = FROM[id], opacity: number | ExpressionSpecification = 1) => {
    if (!has(id)) return;
    layers.push({
      id: `base:${id}`,
      type: 'fill',
      ...source(id),
      minzoom,
      paint: { 'fill-color': color, 'fill-opacity': opacity, 'fill-antialias': false },
    });
  };
  fill('limite_municipal', p.land);
  fill('corregimientos', p.rural);
  // From afar the city is where its ground is built up; then its blocks say so.
  fill('comunas', has('manzanas') ? ['interpolate', ['linear'], ['zoom'], 11.5, p.built, 12.5, p.urban] : p.urban);
  if (has('manzanas')) {
    layers.push({
      id: 'base:manzanas',
      type: 'fill',
      ...source('manzanas'),
      minzoom: FROM.manzanas,
      paint: {
        'fill-outline-color': ['interpolate', ['linear'], ['zoom'], 14, p.block, 15.5, p.blockLine],
        // Thin streets between them vanish at the lowest zooms: what is left must be as dark as the ground from afar.
        'fill-color': ['interpolate', ['linear'], ['zoom'], FROM.manzanas, p.built, FROM.manzanas + 1.5, p.block],
      },
    });
  }
  if (has('predios')) {
    layers.push({
      id: 'base:predios',
      type: 'line',
      ...source('predios'),
      minzoom: FROM.predios,
      paint: { 'line-color': p.parcelLine, 'line-width': grow([15, 0.4], [18, 1]), 'line-opacity': fade(15, 16) },
    });
  }
  if (has('hidrografia')) {
    layers.push(
      {
        id: 'base:hidrografia:area',
        type: 'fill',
        ...source('hidrografia'),
        minzoom: FROM.hidrografia,
        filter: isArea,
        paint: { 'fill-color': p.water, 'fill-outline-color': p.waterLine },
      },
      {
        // A river that is an area is narrower than a pixel from afar, and would be drawn in pieces.
        id: 'base:hidrografia:bank',
        type: 'line',
        ...source('hidrografia'),
        minzoom: FROM.hidrografia,
        maxzoom: 13,
        filter: isArea,
        layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: {
          'line-color': p.waterLine,
          'line-width': ['interpolate', ['linear'], ['zoom'], 8, 0.7, 11, 1.1],
          'line-opacity': ['interpolate', ['linear'], ['zoom'], 12, 1, 13, 0],
        },
      },
      {
        id: 'base:hidrografia:line',
        type: 'line',
        ...source('hidrografia'),
        minzoom: FROM.hidrografia,
        filter: isLine,
        layout: { 'line-cap': 'round', 'line-join': 'round' },
        paint: {
          'line-color': ['match', ['get', 'tipo'], 'rio', p.water, p.waterLine],
          'line-width': grow(
            [8, ['match', ['get', 'tipo'], 'rio', 0.8, 0]],
            [11, ['match', ['get', 'tipo'], 'rio', 1.8, 0.35]],
            [14, ['match', ['get', 'tipo'], 'rio', 4, 1.1]],
            [18, ['match', ['get', 'tipo'], 'rio', 30, 6]],
          ),
        },
      },
    );
  }
  return layers;
}

function boundaries(has: Has, p: Palette): LayerSpecification[] {
  const layers: LayerSpecification[] = [];
  const line = (id: BaseCollection, name: string, minzoom: number, paint: object) => {
    if (has(id)) {
      layers.push({
        id: `base:${id}:${name}`,
        type: 'line',
        ...source(id),
        minzoom,
        layout: { 'line-join': 'round' },
        paint,
      } as LayerSpecification);
    }
  };
  // Neighbours both draw the border that they share: dashes of the two would run into each other, so
  // only the municipality's own limit is dashed and the inner ones are told by weight.
  line('barrios', 'line', FROM.barrios, {
    'line-color': p.district, 'line-width': 0.6, 'line-opacity': fade(12.5, 13.5, 0.35),
  });
  line('veredas', 'line', FROM.veredas, {
    'line-color': p.district, 'line-width': 0.5, 'line-opacity': fade(11.5, 12.5, 0.3),
  });
  line('corregimientos', 'line', FROM.corregimientos, {
    'line-color': p.district, 'line-width': grow([8, 0.5], [15, 1.2]), 'line-opacity': 0.4,
  });
  line('comunas', 'glow', FROM.comunas, {
    'line-color': p.limitGlow, 'line-width': grow([9, 1.5], [15, 7]), 'line-opacity': 0.4,
  });
  line('comunas', 'line', FROM.comunas, {
    'line-color': p.district, 'line-width': grow([9, 0.5], [15, 1.3]), 'line-opacity': 0.7,
  });
  line('limite_municipal', 'glow', 0, {
    'line-color': p.limitGlow, 'line-width': grow([7, 2], [14, 8]), 'line-opacity': 0.6,
  });
  line('limite_municipal', 'line', 0, {
    'line-color': p.limit, 'line-width': grow([7, 1], [14, 2.2]), 'line-dasharray': [6, 2, 1.2, 2],
  });
  return layers;
}

function streets(has: Has, p: Palette): LayerSpecification[] {
  if (!has('vias')) return [];
  const known = hasClasses(has('vias'));
  const from = known ? FROM.vias : CLASSLESS_STREETS_FROM;
  const by = known ? byClass : asCollectors;
  const layout = { 'line-cap': 'round', 'line-join': 'round', 'line-sort-key': sortKey } as const;
  // Far away only what leads somewhere: the rest comes as it gets room.
  const visible: ExpressionSpecification = [
    'step', ['zoom'],
    ['in', ['get', 'jerarquia'], ['literal', ['arteria', 'principal', 'colectora', 'rural']]],
    12, ['!=', ['get', 'jerarquia'], 'peatonal'],
    14, true,
  ];
  return [
    {
      id: 'base:vias:casing',
      type: 'line',
      ...source('vias'),
      minzoom: 12.5,
      filter: visible,
      layout,
      paint: {
        'line-color': by((name) => p.street[name].casing),
        'line-width': streetWidth(by, 1.3),
        'line-opacity': fade(12.5, 13.5),
      },
    },
    {
      id: 'base:vias',
      type: 'line',
      ...source('vias'),
      minzoom: from,
      filter: visible,
      layout,
      paint: {
        'line-color': [
          'interpolate', ['linear'], ['zoom'],
          12, by((name) => p.street[name].afar),
          13.5, by((name) => p.street[name].fill),
        ],
        'line-width': streetWidth(by, 0),
      },
    },
  ];
}

/** The base map's layers in one theme. Without any base collection, only the background. */
export function baseLayers(has: Has, palette: Palette): BaseLayers {
  return {
    ground: [...ground(has, palette), ...boundaries(has, palette)],
    streets: streets(has, palette),
    texts: texts(has, palette),
  };
}
