import { fetched, request, RequestFailure } from '../api/client';
import type { Bounds, Feature, FeatureId, Items, Lang } from '../api/types';

export type Edit =
  | { operation: 'create'; feature: Feature }
  | { operation: 'update'; id: FeatureId; ifMatch: string; patch: { properties?: Record<string, unknown>; geometry?: GeoJSON.Geometry | null } }
  | { operation: 'delete'; id: FeatureId; ifMatch: string };

/** What became of an edit. Of what was deleted there is no tag. */
export interface Edited {
  operation: string;
  id: FeatureId;
  etag?: string;
}

/** What of an edit breaks which rule. */
export interface Violation {
  edit: number;
  pointer: string;
  rule: string;
  detail: string;
  position?: [lon: number, lat: number];
}

/** A feature that somebody else changed meanwhile; gone where there is no feature. */
export interface Conflict {
  edit: number;
  id: FeatureId;
  etag: string | null;
  feature: Feature | null;
}

const path = (collection: string, rest: string): string => `collections/${encodeURIComponent(collection)}/${rest}`;
const itemPath = (collection: string, id: FeatureId): string => path(collection, `items/${encodeURIComponent(String(id))}`);

/** A feature as it is now, with the tag of that version. */
export async function getTagged(collection: string, id: FeatureId): Promise<{ feature: Feature; etag: string }> {
  // Not what the browser kept: it is to be changed.
  const response = await fetched(itemPath(collection, id), { cache: 'no-store' });
  return { feature: (await response.json()) as Feature, etag: response.headers.get('etag') ?? '' };
}

export const getAround = (collection: string, bounds: Bounds, limit: number, signal: AbortSignal): Promise<Items> =>
  request(path(collection, `items?${new URLSearchParams({ bbox: bounds.map((ordinate) => ordinate.toFixed(7)).join(','), limit: String(limit) })}`), {}, signal);

/** The properties of the layer's JSON Schema, which says what the catalogue does not. */
export interface SchemaProperty {
  type?: string | string[];
  format?: string;
  readOnly?: boolean;
  minimum?: number;
  maximum?: number;
  maxLength?: number;
  'x-ogc-role'?: string;
}
export interface Schema {
  properties?: Record<string, SchemaProperty>;
  required?: string[];
}
export const getSchema = (collection: string): Promise<Schema> =>
  request(path(collection, 'schema'), { headers: { accept: 'application/schema+json' } });

const written = (body: unknown, csrf: string | null, more: Record<string, string> = {}): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...(csrf === null ? {} : { 'x-csrf-token': csrf }), ...more },
  body: JSON.stringify(body),
});

/** All of them or none. */
export const sendEdits = (collection: string, edits: Edit[], reason: string, lang: Lang, csrf: string | null): Promise<Edited[]> =>
  request<{ edits: Edited[] }>(path(collection, `edits?lang=${lang}`), written({ ...(reason ? { reason } : {}), edits }, csrf)).then(({ edits: answer }) => answer);

/** One of the versions of a feature. */
export interface Version {
  version: number;
  operation: 'create' | 'update' | 'delete';
  since: string | null;
  until: string | null;
  /** Who and from where, as far as the caller may know. */
  by: string | null;
  source: string | null;
  reason: string | null;
  changes: string[];
  feature: Feature | null;
}

export const getHistory = (collection: string, id: FeatureId, before: number | null, signal?: AbortSignal): Promise<{ numberMatched: number; versions: Version[] }> =>
  request(`${itemPath(collection, id)}/history?${new URLSearchParams({ limit: '20', ...(before === null ? {} : { before: String(before) }) })}`, {}, signal);

/** Makes a feature again what it was. `etag` is that of what it is now, null where it is deleted. */
export const revert = (
  collection: string,
  id: FeatureId,
  version: number,
  reason: string,
  etag: string | null,
  lang: Lang,
  csrf: string | null,
): Promise<Feature> => request(`${itemPath(collection, id)}/revert?lang=${lang}`, written({ version, ...(reason ? { reason } : {}) }, csrf, etag === null ? {} : { 'if-match': etag }));

/** What a refused edit says, beside its detail. */
export function refusal(error: unknown): { violations: Violation[]; conflicts: Conflict[] } {
  const problem = error instanceof RequestFailure ? error.problem : null;
  const list = <T>(value: unknown): T[] => (Array.isArray(value) ? (value as T[]) : []);
  return { violations: list(problem?.violations), conflicts: list(problem?.conflicts) };
}
