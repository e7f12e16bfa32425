import type { Bounds, Catalogue, Feature, FeatureId, Here, Items, Landing, Lang, Problem, SearchResult } from './types';

/** What went wrong, in the three kinds that a person can do something about. */
export type FailureKind = 'unreachable' | 'refused' | 'server';

/** A request that did not give its document. `detail` is the server's own words, in English. */
export class RequestFailure extends Error {
  constructor(
    readonly kind: FailureKind,
    readonly status: number | null,
    readonly detail: string | null,
    /** The member or parameter that is at fault, where the server named one. */
    readonly parameter: string | null = null,
    /** The whole of what the server said, where it was a problem document. */
    readonly problem: Problem | null = null,
  ) {
    super(detail ?? kind);
    this.name = 'RequestFailure';
  }
}

/** Slower answers than this are as good as none: the person is told and may retry. */
const PATIENCE_MS = 30_000;

/** Where the server is published: its base path, which it writes into the page. */
export const apiUrl = (path: string): string => new URL(path, document.baseURI).href;

const get = <T>(path: string, signal?: AbortSignal): Promise<T> => request(path, {}, signal);

/** Sends a document, as what a session's own document says is a page of ours. An answer without a body is null. */
export const send = <T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body: unknown, csrf: string | null): Promise<T> =>
  request(path, {
    method,
    headers: { 'content-type': 'application/json', ...(csrf === null ? {} : { 'x-csrf-token': csrf }) },
    body: JSON.stringify(body),
  });

export const request = <T>(path: string, init: RequestInit, signal?: AbortSignal): Promise<T> =>
  fetched(path, init, signal, async (response) => (response.status === 204 ? null : await response.json()) as T);

/** The answer to a request, or what `read` makes of it, within our patience. */
export function fetched(path: string, init: RequestInit, signal?: AbortSignal): Promise<Response>;
export function fetched<T>(path: string, init: RequestInit, signal: AbortSignal | undefined, read: (response: Response) => Promise<T>): Promise<T>;
export async function fetched<T>(path: string, init: RequestInit, signal?: AbortSignal, read?: (response: Response) => Promise<T>): Promise<T | Response> {
  const control = new AbortController();
  const stop = () => control.abort();
  signal?.addEventListener('abort', stop);
  if (signal?.aborted) stop();
  const timer = setTimeout(stop, PATIENCE_MS);
  try {
    const response = await fetch(apiUrl(path), { ...init, signal: control.signal });
    if (!response.ok) throw await failureOf(response);
    return read ? await read(response) : response;
  } catch (error) {
    if (signal?.aborted) throw error;
    if (error instanceof RequestFailure) throw error;
    throw new RequestFailure(error instanceof SyntaxError ? 'server' : 'unreachable', null, null);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', stop);
  }
}

/** What an answer that is none says of it. */
export async function failureOf(response: Response): Promise<RequestFailure> {
  let detail: string | null = null;
  let parameter: string | null = null;
  let problem: Problem | null = null;
  try {
    problem = (await response.json()) as Problem;
    detail = problem.detail ?? problem.title ?? null;
    parameter = problem.parameter ?? null;
  } catch {
    // Not a problem document (a proxy's own page, say): the status must do.
  }
  return new RequestFailure(response.status >= 500 ? 'server' : 'refused', response.status, detail, parameter, problem);
}

// These two addresses are preloaded by the page's head: they must be written the same there.
export const getLanding = (): Promise<Landing> => get('?f=json');
export const getCatalogue = (): Promise<Catalogue> => get('collections?f=json');

export function search(query: string, lang: Lang, signal?: AbortSignal): Promise<SearchResult[]> {
  const parameters = new URLSearchParams({ q: query, limit: '10', lang });
  return get<{ results: SearchResult[] }>(`search?${parameters}`, signal).then((found) => found.results);
}

/** What is at a point, or within `tolerance` metres of it. */
export function getHere(lon: number, lat: number, tolerance: number, lang: Lang, signal?: AbortSignal): Promise<Here> {
  const parameters = new URLSearchParams({
    lon: lon.toFixed(7),
    lat: lat.toFixed(7),
    tolerance: String(Math.min(1000, Math.max(0, Math.round(tolerance)))),
    lang,
  });
  return get(`here?${parameters}`, signal);
}

/** `moment`: as it was then. */
export function getItems(collection: string, bounds: Bounds, limit: number, signal?: AbortSignal, moment: string | null = null): Promise<Items> {
  const parameters = new URLSearchParams({
    bbox: bounds.map((ordinate) => ordinate.toFixed(6)).join(','),
    limit: String(limit),
    ...(moment === null ? {} : { datetime: moment }),
  });
  return get(`collections/${encodeURIComponent(collection)}/items?${parameters}`, signal);
}

export const getFeature = (collection: string, id: FeatureId, signal?: AbortSignal, moment: string | null = null): Promise<Feature> =>
  get(`collections/${encodeURIComponent(collection)}/items/${encodeURIComponent(String(id))}${moment === null ? '' : `?datetime=${encodeURIComponent(moment)}`}`, signal);
