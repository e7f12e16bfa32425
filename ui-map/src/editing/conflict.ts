import type { Feature } from '../api/types';
import type { Piece, Properties } from './draft';

export type Side = 'mine' | 'theirs';

/** The geometry's place among the attributes' names, which no attribute can have. */
export const GEOMETRY = '/geometry';

/** What differs between a person's version and the one that is there now. */
export interface Difference {
  name: string;
  mine: unknown;
  theirs: unknown;
  /** Whether both changed it, so that somebody must say which is right. */
  both: boolean;
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);

export function differences(piece: Piece, theirs: Feature): Difference[] {
  const before = piece.origin?.properties ?? {};
  const now: Properties = theirs.properties ?? {};
  const names = new Set([...Object.keys(before), ...Object.keys(piece.properties), ...Object.keys(now)]);
  const attributes = [...names].map((name) => ({ name, was: before[name], mine: piece.properties[name], theirs: now[name] }));
  const geometry = { name: GEOMETRY, was: piece.origin?.geometry, mine: piece.geometry, theirs: theirs.geometry };
  return [...attributes, geometry]
    .filter(({ mine, theirs: other }) => !isSame(mine, other))
    .map(({ name, was, mine, theirs: other }) => ({ name, mine, theirs: other, both: !isSame(was, mine) && !isSame(was, other) }));
}

/** What one side alone changed is that side's. What both changed is mine, until somebody says otherwise. */
export const proposed = (piece: Piece, found: Difference[]): Record<string, Side> =>
  Object.fromEntries(
    found.map(({ name, mine }) => {
      const was = name === GEOMETRY ? piece.origin?.geometry : piece.origin?.properties[name];
      return [name, isSame(was, mine) ? 'theirs' : 'mine'];
    }),
  );

/** The piece as was chosen, on top of the version that is there now. */
export function resolved(piece: Piece, theirs: Feature, etag: string, choice: Readonly<Record<string, Side>>): Piece {
  const properties: Record<string, unknown> = { ...theirs.properties };
  for (const [name, side] of Object.entries(choice)) {
    if (side === 'mine' && name !== GEOMETRY) properties[name] = piece.properties[name] ?? null;
  }
  return {
    ...piece,
    origin: { id: piece.origin!.id, etag, geometry: theirs.geometry, properties: theirs.properties ?? {} },
    geometry: choice[GEOMETRY] === 'mine' ? piece.geometry : theirs.geometry,
    properties,
  };
}

/** Of a feature that is gone: the piece as a new one. */
export const anew = (piece: Piece, key: string): Piece => ({ ...piece, key, origin: null });
