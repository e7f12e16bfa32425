import { apiUrl } from '../api/client';

/** The scheme under which the style names our tiles, so that MapLibre asks us for them. */
export const TILE_SCHEME = 'lindero';

/**
 * The tiles of a collection, as the style names them (the API puts the row before the column); `moment` asks for what
 * was then.
 */
export const tileTemplate = (collection: string, moment: string | null = null): string =>
  `${TILE_SCHEME}://collections/${encodeURIComponent(collection)}/tiles/WebMercatorQuad/{z}/{y}/{x}${moment === null ? '' : `?datetime=${encodeURIComponent(moment)}`}`;

/** A tile's place: MapLibre's order, column before row. */
export interface TilePlace {
  z: number;
  x: number;
  y: number;
}

export const tileUrl = (collection: string, { z, x, y }: TilePlace): string =>
  tileTemplate(collection).replace('{z}', `${z}`).replace('{y}', `${y}`).replace('{x}', `${x}`);

function placeOf(url: string): TilePlace {
  const [z = 0, y = 0, x = 0] = url.split('?')[0]!.split('/').slice(-3).map(Number);
  return { z, x, y };
}

interface Loaded {
  data: ArrayBuffer;
  /** With it MapLibre sees that a tile is the one that it has. */
  etag?: string;
}

/** A tile on its way. Whoever asks for it meanwhile waits for the same. */
interface Flight {
  answer: Promise<Loaded>;
  /** It changed since it was asked for: what comes may be what was. */
  stale: boolean;
  wanted: number;
  control: AbortController;
}

const flights = new Map<string, Flight>();
const generalised = new Set<string>();
/** Over a slow link a tile that changes all the time would never be there. */
const MOST_ATTEMPTS = 3;

async function request(url: string, signal: AbortSignal): Promise<Loaded> {
  const response = await fetch(apiUrl(url.slice(TILE_SCHEME.length + 3)), { signal });
  if (!response.ok) throw new Error(`tile ${url}: ${response.status}`);
  if (response.headers.has('lindero-generalised')) generalised.add(url);
  else generalised.delete(url);
  return { data: await response.arrayBuffer(), etag: response.headers.get('etag') ?? undefined };
}

async function fly(url: string, flight: Omit<Flight, 'answer'>): Promise<Loaded> {
  for (let attempt = 1; ; attempt += 1) {
    flight.stale = false;
    const loaded = await request(url, flight.control.signal);
    if (!flight.stale || attempt === MOST_ATTEMPTS) return loaded;
  }
}

function load(url: string): Flight {
  const known = flights.get(url);
  if (known && !known.control.signal.aborted) {
    known.wanted += 1;
    return known;
  }
  const begun = { stale: false, wanted: 1, control: new AbortController() };
  const flight: Flight = Object.assign(begun, { answer: fly(url, begun) });
  flights.set(url, flight);
  const end = () => {
    if (flights.get(url) === flight) flights.delete(url);
  };
  flight.answer.then(end, end);
  return flight;
}

const early = new Map<string, Flight>();

/** Asks for tiles that the map will want as soon as it is there. */
export function loadEarly(urls: string[]): void {
  // Who wants one hears of its failure; if nobody does, it does not matter.
  for (const url of urls) early.set(url, load(url));
}

/** MapLibre's loader of our scheme: takes what was asked for early, once, and fetches all else. */
export async function loadTile({ url }: { url: string }, { signal }: AbortController): Promise<Loaded> {
  const flight = early.get(url) ?? load(url);
  early.delete(url);
  const giveUp = () => {
    flight.wanted -= 1;
    if (flight.wanted === 0) flight.control.abort();
  };
  if (signal.aborted) giveUp();
  else signal.addEventListener('abort', giveUp);
  try {
    const { data, etag } = await flight.answer;
    // MapLibre hands it over to its worker for good.
    return { data: data.slice(0), etag };
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** Asks once more for the tiles of a collection that are on their way, where they changed. */
export function outdate(collection: string, isTouched: (place: TilePlace) => boolean): void {
  const own = tileTemplate(collection).split('{')[0]!;
  for (const [url, flight] of flights) {
    if (url.startsWith(own) && isTouched(placeOf(url))) flight.stale = true;
  }
  // Those that nobody has taken yet may have come already.
  for (const url of early.keys()) {
    if (url.startsWith(own) && isTouched(placeOf(url))) early.delete(url);
  }
}

/** Whether the tile, as it came last, does not hold all that is there as it is. */
export const isGeneralised = (collection: string, place: TilePlace): boolean =>
  generalised.has(tileUrl(collection, place));
