import { type Editable, FEWEST, geometryOf, type Parts, partsOf, type Position, rounded, samePlace, shapeOf, type VertexAt } from './parts';

/** A vertex, or the middle of an edge, after which a vertex would come. */
export interface Handle {
  at: VertexAt;
  position: Position;
}

/** Does something to one ring; what is not touched stays the very same positions. */
function withRing(geometry: Editable, at: VertexAt, change: (ring: readonly Position[]) => Position[]): Editable {
  const parts: Parts = partsOf(geometry).map((part, p) =>
    p === at.part ? part.map((ring, r) => (r === at.ring ? change(ring) : ring)) : part,
  );
  return geometryOf(geometry.type, parts);
}

const isClosed = (geometry: Editable): boolean => shapeOf(geometry.type) === 'area';

/** How many vertices a ring has to show. */
const countOf = (geometry: Editable, ring: readonly Position[]): number => ring.length - (isClosed(geometry) ? 1 : 0);

export function vertices(geometry: Editable): Handle[] {
  return partsOf(geometry).flatMap((part, p) =>
    part.flatMap((ring, r) =>
      ring.slice(0, countOf(geometry, ring)).map((position, index) => ({ at: { part: p, ring: r, index }, position })),
    ),
  );
}

/** The middle of each edge, `at` the vertex that it begins from. */
export function middles(geometry: Editable): Handle[] {
  return partsOf(geometry).flatMap((part, p) =>
    part.flatMap((ring, r) =>
      ring.slice(0, -1).map((position, index): Handle => {
        const next = ring[index + 1]!;
        return { at: { part: p, ring: r, index }, position: [(position[0] + next[0]) / 2, (position[1] + next[1]) / 2] };
      }),
    ),
  );
}

export const positionAt = (geometry: Editable, { part, ring, index }: VertexAt): Position | undefined =>
  partsOf(geometry)[part]?.[ring]?.[index];

/** `to` is taken as it is: what was snapped is exact. */
export function moveVertex(geometry: Editable, at: VertexAt, to: Position): Editable {
  return withRing(geometry, at, (ring) => {
    const last = isClosed(geometry) && at.index === 0 ? ring.length - 1 : -1;
    return ring.map((position, index) => (index === at.index || index === last ? to : position));
  });
}

/** Puts a vertex after another. */
export const insertVertex = (geometry: Editable, after: VertexAt, position: Position): Editable =>
  withRing(geometry, after, (ring) => [...ring.slice(0, after.index + 1), position, ...ring.slice(after.index + 1)]);

/**
 * Takes a vertex away. A ring or line that is too short then goes with it; null where nothing would be left.
 */
export function removeVertex(geometry: Editable, at: VertexAt): Editable | null {
  const shape = shapeOf(geometry.type);
  const parts = partsOf(geometry).flatMap((part, p) => {
    if (p !== at.part) return [part];
    const rings = part.flatMap((ring, r) => {
      if (r !== at.ring) return [ring];
      const open = ring.slice(0, countOf(geometry, ring)).filter((_, index) => index !== at.index);
      const left = shape === 'area' && open[0] ? [...open, open[0]] : open;
      return left.length < FEWEST[shape] ? [] : [left];
    });
    // Without its outer ring an area has no holes either.
    const outerGone = at.ring === 0 && rings.length < part.length;
    return rings.length === 0 || outerGone ? [] : [rings];
  });
  return parts.length === 0 ? null : geometryOf(geometry.type, parts);
}

/** The whole, moved by so many degrees. */
export function translate(geometry: Editable, east: number, north: number): Editable {
  const parts = partsOf(geometry).map((part) =>
    part.map((ring) => ring.map(([lon, lat]) => rounded([lon + east, lat + north]))),
  );
  return geometryOf(geometry.type, parts);
}

/** Positions without one that repeats the one before it, as a double click leaves. */
export const withoutRepeats = (positions: readonly Position[]): Position[] =>
  positions.filter((position, index) => index === 0 || !samePlace(position, positions[index - 1]!));

/** A geometry of what was drawn; null while it is too little. */
export function drawn(type: 'Point' | 'LineString' | 'Polygon', positions: readonly Position[]): Editable | null {
  const shape = shapeOf(type);
  const own = withoutRepeats(positions);
  const ring = shape === 'area' && own[0] ? withoutRepeats([...own, own[0]]) : own;
  return ring.length < FEWEST[shape] ? null : geometryOf(type, [[ring]]);
}
