import type { ExpressionSpecification, FilterSpecification, LayerSpecification } from 'maplibre-gl';

import type { Collection } from '../../api/types';
import { classesOf, classifier, type LegendClass } from '../../catalogue/classes';
import { shapesOf } from '../../catalogue/geometry';
import type { LayerSetting } from '../../state/permalink';
import { FONT } from './base';
import { hatchImage, markImage } from './images';
import type { Palette } from './palette';

/** A switched-on layer's drawing, in the same three storeys as the base map. */
export interface OverlayLayers {
  areas: LayerSpecification[];
  lines: LayerSpecification[];
  marks: LayerSpecification[];
  texts: LayerSpecification[];
}

/** Below these zooms names would only be noise: those of few features, and those of thousands of areas. */
const TEXT_FROM = 14;
const CROWDED_TEXT_FROM = 17.5;
const CROWD = 5000;
const MARKS_EVERYWHERE = 500;

/** One value for each class; a plain value where there is only one. */
function choose<T>(collection: Collection, classes: LegendClass[], value: (c: LegendClass) => T): T | ExpressionSpecification {
  const attribute = classifier(collection);
  const other = classes[classes.length - 1]!;
  if (!attribute) return value(other);
  const cases = classes.slice(0, -1).flatMap((c) => [String(c.value), value(c)]);
  return ['match', ['to-string', ['get', attribute.name]], ...cases, value(other)] as unknown as ExpressionSpecification;
}

const literal = (dash: number[]): ExpressionSpecification => ['literal', dash];

const only = (type: 'Point' | 'LineString' | 'Polygon'): FilterSpecification => ['==', ['geometry-type'], type];

export function overlayLayers(collection: Collection, setting: LayerSetting, palette: Palette): OverlayLayers {
  const { id } = collection;
  const classes = classesOf(collection);
  const shapes = shapesOf(collection.lindero.geometryType);
  const minzoom = Math.max(0, collection.lindero.minZoom ?? 0);
  const { opacity } = setting;
  const color = choose(collection, classes, (c) => c.color);
  const common = { source: id, 'source-layer': id, minzoom };
  const layers: OverlayLayers = { areas: [], lines: [], marks: [], texts: [] };

  if (shapes.polygons) {
    layers.areas.push({
      id: `over:${id}:fill`,
      type: 'fill',
      ...common,
      filter: only('Polygon'),
      paint: { 'fill-color': color, 'fill-opacity': 0.32 * opacity },
    });
    if (classifier(collection)) {
      layers.areas.push({
        id: `over:${id}:hatch`,
        type: 'fill',
        ...common,
        filter: only('Polygon'),
        paint: {
          'fill-pattern': choose(collection, classes, (c) => hatchImage(c.hatch, c.color)) as string,
          'fill-opacity': 0.5 * opacity,
        },
      });
    }
    layers.areas.push({
      id: `over:${id}:outline`,
      type: 'line',
      ...common,
      filter: only('Polygon'),
      layout: { 'line-join': 'round' },
      paint: {
        'line-color': color,
        'line-width': ['interpolate', ['linear'], ['zoom'], 9, 0.6, 14, 1.4, 18, 2.4],
        'line-opacity': 0.9 * opacity,
      },
    });
  }
  if (shapes.lines) {
    layers.lines.push({
      id: `over:${id}:line`,
      type: 'line',
      ...common,
      filter: only('LineString'),
      layout: { 'line-join': 'round' },
      paint: {
        'line-color': color,
        'line-width': ['interpolate', ['exponential', 1.5], ['zoom'], 9, 1.2, 14, 2.6, 18, 7],
        ...(classifier(collection)
          ? { 'line-dasharray': choose(collection, classes, (c) => literal(c.dash)) as ExpressionSpecification }
          : {}),
        'line-opacity': opacity,
      },
    });
  }
  if (shapes.points) {
    layers.marks.push({
      id: `over:${id}:mark`,
      type: 'symbol',
      ...common,
      filter: only('Point'),
      layout: {
        'icon-image': choose(collection, classes, (c) => markImage(c.form, c.color, palette.markHalo)) as string,
        'icon-size': ['interpolate', ['linear'], ['zoom'], 9, 0.55, 14, 0.9, 18, 1.2],
        'icon-padding': 0,
        'icon-allow-overlap': true,
        // Names of the base map stand aside for a mark; for marks everywhere they would all have to go.
        'icon-ignore-placement': collection.lindero.featureCount > MARKS_EVERYWHERE,
      },
      paint: { 'icon-opacity': opacity },
    });
  }
  // A class is told by its drawing; its code written on top would only be noise.
  const label = collection.lindero.label === collection.lindero.classifyBy ? null : collection.lindero.label;
  if (label && (shapes.points || shapes.polygons)) {
    const crowded = shapes.polygons && collection.lindero.featureCount > CROWD;
    // Areas have their text once, from their own tile layer of points; marks carry it themselves.
    const text = (suffix: string, layer: string, field: string, offset: number): LayerSpecification => ({
      id: `over:${id}:${suffix}`,
      type: 'symbol',
      source: id,
      'source-layer': layer,
      minzoom: Math.max(minzoom, crowded ? CROWDED_TEXT_FROM : TEXT_FROM),
      ...(layer === id ? { filter: only('Point') } : {}),
      layout: {
        'text-field': ['to-string', ['coalesce', ['get', field], '']],
        'text-font': crowded ? FONT.regular : FONT.bold,
        'text-size': crowded ? 11 : 12,
        'text-max-width': 9,
        'text-optional': true,
        ...(offset ? { 'text-offset': [0, offset], 'text-anchor': 'top' as const } : {}),
      },
      paint: {
        'text-color': palette.placeText,
        'text-halo-color': palette.halo,
        'text-halo-width': 1.6,
        'text-opacity': opacity,
      },
    });
    if (shapes.points) layers.texts.push(text('text', id, label, 0.9));
    if (shapes.polygons) layers.texts.push(text('label', 'labels', 'name', 0));
  }
  return layers;
}
