import { describe, expect, it } from 'vitest';

import { type Editable, partsOf } from './parts';
import { fault, merge, split } from './topology';

const square = (west: number, south: number, side = 0.001): Editable => ({
  type: 'Polygon',
  coordinates: [[[west, south], [west + side, south], [west + side, south + side], [west, south + side], [west, south]]],
});
const corners = (geometry: Editable) => partsOf(geometry).flatMap((part) => part.flatMap((ring) => ring.slice(0, -1).map(String)));
const area = (geometry: Editable) =>
  partsOf(geometry).reduce((sum, part) => sum + part.reduce((inner, ring) => inner + ring.slice(0, -1).reduce((total, [x, y], i) => total + (x * ring[i + 1]![1] - ring[i + 1]![0] * y) / 2, 0), 0), 0);

describe('splitting', () => {
  it('gives pieces that share the cut exactly, and keeps the vertices that were there', () => {
    const whole: Editable = { type: 'Polygon', coordinates: [[[-75.23221234, 4.43891234], [-75.23121233, 4.43893333], [-75.23124321, 4.43991111], [-75.2322, 4.4399], [-75.23221234, 4.43891234]]] };
    const pieces = split(whole, [[-75.2318, 4.438], [-75.2317, 4.441]])!;
    expect(pieces).toHaveLength(2);
    const [one, other] = pieces.map(corners);
    const shared = one!.filter((corner) => other!.includes(corner));
    expect(shared).toHaveLength(2);
    for (const corner of corners(whole)) expect([...one!, ...other!]).toContain(corner);
    for (const number of shared.flatMap((corner) => corner.split(',').map(Number))) expect(number).toBe(Number(number.toFixed(8)));
    expect(area(pieces[0]!) + area(pieces[1]!)).toBeCloseTo(area(whole), 10);
    expect(area(pieces[0]!)).toBeGreaterThan(area(pieces[1]!));
  });

  it('keeps holes and parts that the line does not touch', () => {
    const holed: Editable = {
      type: 'MultiPolygon',
      coordinates: [
        [
          [[0, 0], [10, 0], [10, 10], [0, 10], [0, 0]],
          [[1, 1], [1, 2], [2, 2], [2, 1], [1, 1]],
        ],
        [[[20, 20], [21, 20], [21, 21], [20, 20]]],
      ],
    };
    const [kept, cut] = split(holed, [[6, -1], [6, 11]])!;
    expect(kept!.type).toBe('MultiPolygon');
    expect(partsOf(kept!)).toHaveLength(2);
    expect(partsOf(kept!).flat()).toHaveLength(3);
    expect(partsOf(cut!)).toHaveLength(1);
    expect(cut!.type).toBe('MultiPolygon');
  });

  it('is refused where the line does not go through', () => {
    expect(split(square(0, 0), [[-1, 0.0005], [0.0005, 0.0005]])).toBeNull();
    expect(split(square(0, 0), [[5, 5], [6, 6]])).toBeNull();
    expect(split({ type: 'Point', coordinates: [0, 0] }, [[-1, 0], [1, 0]])).toBeNull();
  });

  it('cuts lines where they are crossed', () => {
    const line: Editable = { type: 'LineString', coordinates: [[0, 0], [2, 0], [2, 2], [0, 2]] };
    const pieces = split(line, [[1, -1], [1, 3]])!;
    expect(pieces.map(({ coordinates }) => coordinates)).toEqual([[[1, 0], [2, 0], [2, 2], [1, 2]], [[0, 0], [1, 0]], [[1, 2], [0, 2]]]);
  });
});

describe('merging', () => {
  it('makes neighbours one, without losing what stands on the border of others', () => {
    const west: Editable = { type: 'Polygon', coordinates: [[[0, 0], [1, 0], [1, 1], [0.5, 1], [0, 1], [0, 0]]] };
    const one = merge([west, { type: 'Polygon', coordinates: [[[1, 0], [2, 0], [2, 1], [1, 1], [1, 0]]] }])!;
    expect(one.type).toBe('Polygon');
    expect(area(one)).toBe(2);
    expect(corners(one)).toContain('0.5,1');
    expect(corners(one).sort()).toEqual(['0,0', '0,1', '0.5,1', '1,0', '1,1', '2,0', '2,1']);
  });

  it('of what does not touch has several parts, and of other shapes is refused', () => {
    expect(merge([square(0, 0), square(5, 5)])!.type).toBe('MultiPolygon');
    expect(merge([square(0, 0), { type: 'Point', coordinates: [0, 0] }])).toBeNull();
  });

  it('joins lines at their ends', () => {
    const joined = merge([{ type: 'LineString', coordinates: [[0, 0], [1, 0]] }, { type: 'LineString', coordinates: [[1, 0], [1, 1]] }])!;
    expect(joined.type).toBe('LineString');
    expect(joined.coordinates).toHaveLength(3);
  });
});

it('says where an area crosses itself', () => {
  expect(fault(square(0, 0))).toBeNull();
  expect(fault({ type: 'Polygon', coordinates: [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]] })).toEqual([1, 1]);
});
