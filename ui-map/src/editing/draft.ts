import type { Feature, FeatureId } from '../api/types';
import type { Edit } from './api';
import type { Editable } from './geometry/parts';

export type Properties = Readonly<Record<string, unknown>>;

/** A feature that is being edited: as it came, and as it is to become. */
export interface Piece {
  key: string;
  /** As the server has it, with the tag that it is to be sent with; none where it is new. */
  origin: { id: FeatureId; etag: string; geometry: GeoJSON.Geometry | null; properties: Properties } | null;
  /** A geometry that cannot be edited here stays as it came. */
  geometry: GeoJSON.Geometry | null;
  properties: Properties;
  deleted: boolean;
}

/** All that is being edited, in the order in which it was taken up. */
export type Draft = ReadonlyMap<string, Piece>;

export const emptyDraft: Draft = new Map();

export const keyOf = (id: FeatureId): string => `=${id}`;

export function opened(feature: Feature, etag: string): Piece {
  const properties = feature.properties ?? {};
  return {
    key: keyOf(feature.id!),
    origin: { id: feature.id!, etag, geometry: feature.geometry, properties },
    geometry: feature.geometry,
    properties,
    deleted: false,
  };
}

export const made = (key: string, geometry: Editable, properties: Properties): Piece => ({ key, origin: null, geometry, properties, deleted: false });

export function put(draft: Draft, ...pieces: Piece[]): Draft {
  const next = new Map(draft);
  for (const piece of pieces) {
    // What was new and is deleted was never there.
    if (piece.deleted && !piece.origin) next.delete(piece.key);
    else next.set(piece.key, piece);
  }
  return next;
}

const isSame = (one: unknown, other: unknown): boolean => one === other || JSON.stringify(one) === JSON.stringify(other);

/** The attributes that are other than they were, null where one was taken away. */
export function changedProperties({ origin, properties }: Piece): Record<string, unknown> {
  const names = new Set([...Object.keys(properties), ...Object.keys(origin?.properties ?? {})]);
  const changed = [...names].filter((name) => !isSame(properties[name] ?? null, origin?.properties[name] ?? null));
  return Object.fromEntries(changed.map((name) => [name, properties[name] ?? null]));
}

export const hasMoved = ({ origin, geometry }: Piece): boolean => !isSame(origin?.geometry ?? null, geometry);

export const isChanged = (piece: Piece): boolean =>
  !piece.origin || piece.deleted || hasMoved(piece) || Object.keys(changedProperties(piece)).length > 0;

export const changedPieces = (draft: Draft): Piece[] => [...draft.values()].filter(isChanged);

/**
 * What the server is asked to do, one edit a piece. What goes comes first, and what shrinks comes before what takes
 * its place: no two of them are ever where only one may be.
 */
export function editsOf(draft: Draft): { edits: Edit[]; pieces: Piece[] } {
  const rank = (piece: Piece): number => (piece.deleted ? 0 : piece.origin ? 1 : 2);
  const pieces = changedPieces(draft).sort((one, other) => rank(one) - rank(other));
  return { edits: pieces.map(editOf), pieces };
}

function editOf(piece: Piece): Edit {
  const { origin, geometry } = piece;
  if (!origin) return { operation: 'create', feature: { type: 'Feature', geometry, properties: withoutNulls(piece.properties) } };
  const { id, etag: ifMatch } = origin;
  if (piece.deleted) return { operation: 'delete', id, ifMatch };
  const properties = changedProperties(piece);
  return {
    operation: 'update',
    id,
    ifMatch,
    patch: {
      ...(Object.keys(properties).length > 0 ? { properties } : {}),
      ...(hasMoved(piece) ? { geometry } : {}),
    },
  };
}

const withoutNulls = (properties: Properties): Record<string, unknown> =>
  Object.fromEntries(Object.entries(properties).filter(([, value]) => value !== null && value !== undefined));
