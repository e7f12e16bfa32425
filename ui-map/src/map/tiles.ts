import { apiUrl } from '../api/client';

/** The scheme under which the style names our tiles, so that MapLibre asks us for them. */
export const TILE_SCHEME = 'lindero';

/** The tiles of a collection, as the style names them (the API puts the row before the column). */
export const tileTemplate = (collection: string): string =>
  `${TILE_SCHEME}://collections/${encodeURIComponent(collection)}/tiles/WebMercatorQuad/{z}/{y}/{x}`;

const early = new Map<string, Promise<ArrayBuffer>>();

async function load(url: string, signal?: AbortSignal): Promise<ArrayBuffer> {
  const response = await fetch(apiUrl(url.slice(TILE_SCHEME.length + 3)), { signal });
  if (!response.ok) throw new Error(`tile ${url}: ${response.status}`);
  return response.arrayBuffer();
}

/** Asks for tiles that the map will want as soon as it is there. */
export function loadEarly(urls: string[]): void {
  for (const url of urls) {
    const tile = load(url);
    // Who wants it hears of the failure; if nobody does, it does not matter.
    tile.catch(() => undefined);
    early.set(url, tile);
  }
}

/** MapLibre's loader of our scheme: takes what was asked for early, once, and fetches all else. */
export async function loadTile(
  { url }: { url: string },
  { signal }: AbortController,
): Promise<{ data: ArrayBuffer }> {
  const tile = early.get(url);
  early.delete(url);
  return { data: await (tile ?? load(url, signal)) };
}
