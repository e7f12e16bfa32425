import { describe, expect, it } from 'vitest';

import { scaleAt, Surroundings } from './snap';

const scale = scaleAt(4.4, 18);
const pixels = (count: number) => count / scale.east;
const west = -75.23221234;
const around = new Surroundings([
  { type: 'Polygon', coordinates: [[[west, 4.43891234], [west + 0.001, 4.43891234], [west + 0.001, 4.44], [west, 4.43891234]]] },
  { type: 'Point', coordinates: [-75.2, 4.4] },
  { type: 'GeometryCollection', geometries: [] },
  null,
]);

describe('snapping', () => {
  it('takes a vertex exactly as it is, before an edge that is nearer', () => {
    expect(around.nearest([west + pixels(5), 4.43891234 + pixels(1)], scale, 10)).toEqual({ kind: 'vertex', position: [west, 4.43891234] });
    expect(around.nearest([-75.2 + pixels(3), 4.4], scale, 10)).toEqual({ kind: 'vertex', position: [-75.2, 4.4] });
  });

  it('takes the nearest point of an edge', () => {
    const snap = around.nearest([west + 0.0005, 4.43891234 - pixels(6)], scale, 10)!;
    expect(snap.kind).toBe('edge');
    expect(snap.position[1]).toBe(4.43891234);
    expect(snap.position[0]).toBeCloseTo(west + 0.0005, 8);
  });

  it('takes nothing that is too far', () => {
    expect(around.nearest([west + 0.0005, 4.43891234 - pixels(11)], scale, 10)).toBeNull();
    expect(new Surroundings([]).nearest([0, 0], scale, 10)).toBeNull();
  });
});
