import { describe, expect, it } from 'vitest';

import type { Feature } from '../api/types';
import { boundsOfFeatures, boundsOfView, metresAPixel, overlap, shapesOf, viewOf } from './geometry';

const feature = (geometry: GeoJSON.Geometry | null): Feature => ({ type: 'Feature', geometry, properties: {} });

describe('shapesOf', () => {
  it('draws what the type says', () => {
    expect(shapesOf('MultiPolygon')).toEqual({ points: false, lines: false, polygons: true });
    expect(shapesOf('LineString')).toEqual({ points: false, lines: true, polygons: false });
    expect(shapesOf('MultiPoint')).toEqual({ points: true, lines: false, polygons: false });
  });

  it('draws everything of a mixed layer', () => {
    for (const type of ['Geometry', 'GeometryCollection']) {
      expect(shapesOf(type)).toEqual({ points: true, lines: true, polygons: true });
    }
  });
});

describe('boundsOfFeatures', () => {
  it('spans all features, whatever their type', () => {
    const features = [
      feature({ type: 'Point', coordinates: [-75, 4, 1200] }),
      feature({ type: 'MultiLineString', coordinates: [[[-76, 5], [-74, 4.5]]] }),
      feature({ type: 'GeometryCollection', geometries: [{ type: 'Point', coordinates: [-75, 3] }] }),
      feature(null),
    ];
    expect(boundsOfFeatures(features)).toEqual([-76, 3, -74, 5]);
  });

  it('has none without geometry', () => {
    expect(boundsOfFeatures([feature(null)])).toBeNull();
    expect(boundsOfFeatures([])).toBeNull();
  });
});

describe('views', () => {
  it('show the box that they were made for', () => {
    const view = viewOf([-75.3, 4.4, -75.1, 4.5], 800, 600);
    const [west, south, east, north] = boundsOfView(view.lon, view.lat, view.zoom, 800, 600);
    expect(west).toBeCloseTo(-75.3, 4);
    expect(east).toBeCloseTo(-75.1, 4);
    expect(south).toBeLessThan(4.4);
    expect(north).toBeGreaterThan(4.5);
  });

  it('do not dive into a point', () => {
    expect(viewOf([-75, 4, -75, 4], 800, 600, 17).zoom).toBe(17);
  });

  it('a pixel at zoom 18 on the equator is 0.3 m', () => {
    expect(metresAPixel(0, 18)).toBeCloseTo(0.2986, 3);
  });
});

it('boxes that share an edge have it in common', () => {
  expect(overlap([0, 0, 1, 1], [1, 1, 2, 2])).toBe(true);
  expect(overlap([0, 0, 1, 1], [1.1, 0, 2, 1])).toBe(false);
});
