import type { ExpressionSpecification } from 'maplibre-gl';

import type { Collection } from '../../api/types';
import { STREET_CLASSES, type StreetClass } from './palette';

/** The names under which the page's style sheet declares the fonts of the map. */
export const FONT = {
  regular: ['Lindero Sans Regular'],
  bold: ['Lindero Sans Semibold'],
  italic: ['Lindero Sans Italic'],
};

/** The collections that the base map is drawn from; any of them may be absent. */
export const BASE_COLLECTIONS = [
  'limite_municipal',
  'corregimientos',
  'comunas',
  'veredas',
  'barrios',
  'manzanas',
  'predios',
  'hidrografia',
  'vias',
  'centros_poblados',
] as const;
export type BaseCollection = (typeof BASE_COLLECTIONS)[number];

/** Finds the catalogue's entry for a base collection of the shown municipality. */
export interface Has {
  (id: BaseCollection): Collection | undefined;
  /** Whether it is known where the city is. */
  city: boolean;
}

/** The source of the city's name, named as no collection can be. */
export const CITY = ':city';

/** From these zooms a layer is worth its bytes, whatever lower zoom the server could give it at. */
export const FROM: Record<BaseCollection, number> = {
  limite_municipal: 0,
  corregimientos: 8,
  comunas: 9,
  veredas: 11.5,
  barrios: 12.5,
  manzanas: 12,
  predios: 15,
  hidrografia: 8,
  vias: 8,
  centros_poblados: 10.5,
};

/** Exponential growth between zooms, as widths on the ground grow. */
export const grow = (...stops: [zoom: number, value: number | ExpressionSpecification][]): ExpressionSpecification =>
  ['interpolate', ['exponential', 1.6], ['zoom'], ...stops.flat()] as unknown as ExpressionSpecification;

export const fade = (from: number, to: number, opacity = 1): ExpressionSpecification => [
  'interpolate', ['linear'], ['zoom'], from, 0, to, opacity,
];

/** A street's class; what is not said, or is not known, is a local street. */
const streetClass: ExpressionSpecification = [
  'match', ['get', 'jerarquia'], STREET_CLASSES.filter((name) => name !== 'local'), ['get', 'jerarquia'], 'local',
];

export const byClass = <T>(value: (name: StreetClass) => T): ExpressionSpecification =>
  ['match', streetClass, ...STREET_CLASSES.filter((n) => n !== 'local').flatMap((n) => [n, value(n)]), value('local')] as unknown as ExpressionSpecification;

export const sortKey = byClass((name) => STREET_CLASSES.indexOf(name));

export const source = (id: BaseCollection, layer: string = id) => ({ source: id, 'source-layer': layer });

export const isArea: ExpressionSpecification = ['==', ['geometry-type'], 'Polygon'];
export const isLine: ExpressionSpecification = ['==', ['geometry-type'], 'LineString'];
