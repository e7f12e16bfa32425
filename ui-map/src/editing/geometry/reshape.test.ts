import { describe, expect, it } from 'vitest';

import { type Editable, fitted, geometryOf, partsOf, rounded } from './parts';
import { drawn, insertVertex, middles, moveVertex, removeVertex, translate, vertices } from './reshape';

const island: Editable = {
  type: 'MultiPolygon',
  coordinates: [
    [
      [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]],
      [[1, 1], [1, 2], [2, 2], [1, 1]],
    ],
    [[[8, 8], [9, 8], [9, 9], [8, 8]]],
  ],
};

describe('reshaping', () => {
  it('moves the first vertex of a ring with its end, and leaves the others the very same', () => {
    const moved = moveVertex(island, { part: 0, ring: 0, index: 0 }, [-0.12345678, 0.1]);
    const ring = partsOf(moved)[0]![0]!;
    expect(ring[0]).toEqual([-0.12345678, 0.1]);
    expect(ring.at(-1)).toEqual(ring[0]);
    expect(ring[1]).toBe(partsOf(island)[0]![0]![1]);
    expect(partsOf(moved)[0]![1]).toBe(partsOf(island)[0]![1]);
    expect(partsOf(moved)[1]).toBe(partsOf(island)[1]);
  });

  it('adds a vertex on the edge whose middle was taken, also on that which closes the ring', () => {
    const closing = middles(island)[3]!;
    expect(closing).toEqual({ at: { part: 0, ring: 0, index: 3 }, position: [0, 2] });
    const ring = partsOf(insertVertex(island, closing.at, closing.position))[0]![0]!;
    expect(ring.slice(3)).toEqual([[0, 4], [0, 2], [0, 0]]);
  });

  it('takes vertices away, then the hole or the part that is too small, but never all', () => {
    const first = partsOf(removeVertex(island, { part: 0, ring: 0, index: 0 })!)[0]![0]!;
    expect(first).toEqual([[4, 0], [4, 4], [0, 4], [4, 0]]);
    expect(partsOf(removeVertex(island, { part: 0, ring: 1, index: 1 })!)[0]).toHaveLength(1);
    expect(partsOf(removeVertex(island, { part: 1, ring: 0, index: 1 })!)).toHaveLength(1);
    expect(removeVertex({ type: 'LineString', coordinates: [[0, 0], [1, 1]] }, { part: 0, ring: 0, index: 0 })).toBeNull();
  });

  it('shows a vertex once', () => {
    expect(vertices(island)).toHaveLength(4 + 3 + 3);
    expect(vertices({ type: 'MultiPoint', coordinates: [[0, 0], [1, 1]] })).toHaveLength(2);
    expect(middles({ type: 'Point', coordinates: [0, 0] })).toEqual([]);
  });

  it('moves the whole', () => {
    const moved = translate({ type: 'LineString', coordinates: [[-75.1, 4.1], [-75.2, 4.2]] }, 0.1, 0.123456789);
    expect(moved.coordinates).toEqual([[-75, 4.22345679], [-75.1, 4.32345679]]);
  });
});

describe('types', () => {
  it('come back as they were, or of several parts', () => {
    for (const geometry of [island, { type: 'Point', coordinates: [1, 2] }, { type: 'MultiLineString', coordinates: [[[0, 0], [1, 1]]] }] as Editable[]) {
      expect(geometryOf(geometry.type, partsOf(geometry))).toEqual(geometry);
    }
    expect(geometryOf('Polygon', partsOf(island)).type).toBe('MultiPolygon');
  });

  it('are those of the layer', () => {
    const point: Editable = { type: 'Point', coordinates: [1, 2] };
    expect(fitted(point, 'MultiPoint')).toEqual({ type: 'MultiPoint', coordinates: [[1, 2]] });
    expect(fitted(point, 'Geometry')).toBe(point);
    expect(fitted(point, 'Point')).toBe(point);
  });
});

describe('drawing', () => {
  it('closes areas, and drops the repeats of a double click', () => {
    expect(drawn('Polygon', [[0, 0], [1, 0], [1, 1], [1, 1]])).toEqual({ type: 'Polygon', coordinates: [[[0, 0], [1, 0], [1, 1], [0, 0]]] });
    expect(drawn('Polygon', [[0, 0], [1, 0]])).toBeNull();
    expect(drawn('LineString', [[0, 0], [0, 0]])).toBeNull();
    expect(drawn('Point', [])).toBeNull();
    expect(drawn('Point', [[1, 2]])).toEqual({ type: 'Point', coordinates: [1, 2] });
  });

  it('rounds as the server keeps it', () => expect(rounded([-75.123456789123, 4.000000004])).toEqual([-75.12345679, 4]));
});
