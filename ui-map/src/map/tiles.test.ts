import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Bounds } from '../api/types';
import { loadTile, outdate, tileUrl } from './tiles';
import { fetchedFor, meets, touches } from './touched';

const url = tileUrl('predios', { z: 16, x: 19_072, y: 31_959 });

/** Requests that wait to be answered. */
let asked: { answer: (text: string, headers?: Record<string, string>) => void; signal: AbortSignal }[];

beforeEach(() => {
  asked = [];
  vi.stubGlobal('document', { baseURI: 'http://city.example/' });
  vi.stubGlobal('fetch', (_: string, { signal }: { signal: AbortSignal }) =>
    new Promise<Response>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(new DOMException('', 'AbortError')));
      asked.push({ answer: (text, headers) => resolve(new Response(text, { headers })), signal });
    }),
  );
});
afterEach(() => vi.unstubAllGlobals());

const text = ({ data }: { data: ArrayBuffer }) => new TextDecoder().decode(data);
const load = (control = new AbortController()) => loadTile({ url }, control);

describe('a tile', () => {
  it('that changes on its way is asked for once more', async () => {
    const tile = load();
    outdate('predios', ({ z, x, y }) => z === 16 && x === 19_072 && y === 31_959);
    outdate('vias', () => true);
    asked[0]!.answer('old');
    await vi.waitUntil(() => asked.length === 2);
    asked[1]!.answer('new', { etag: '"2"' });
    const loaded = await tile;
    expect([text(loaded), loaded.etag]).toEqual(['new', '"2"']);
  });

  it('is not asked for again where others change', async () => {
    const tile = load();
    outdate('predios', ({ x }) => x === 1);
    asked[0]!.answer('it');
    expect(text(await tile)).toBe('it');
    expect(asked).toHaveLength(1);
  });

  it('belongs to each who asked', async () => {
    const tiles = [load(), load()];
    asked[0]!.answer('it');
    const [one, other] = await Promise.all(tiles);
    expect(asked).toHaveLength(1);
    structuredClone(one!.data, { transfer: [one!.data] });
    expect(text(other!)).toBe('it');
  });

  it('is fetched once for all who ask meanwhile, until the last gives up', async () => {
    const [first, second] = [new AbortController(), new AbortController()];
    const tiles = [load(first), load(second)];
    expect(asked).toHaveLength(1);
    first.abort();
    expect(asked[0]!.signal.aborted).toBe(false);
    second.abort();
    expect(asked[0]!.signal.aborted).toBe(true);
    const outcomes = await Promise.allSettled(tiles);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    const again = load();
    asked[1]!.answer('it');
    expect(text(await again)).toBe('it');
  });
});

describe('changes', () => {
  const place = { z: 16, x: 19_072, y: 31_959 };
  // Ibagué's centre lies in that tile.
  const here: Bounds = [-75.2322, 4.4389, -75.2322, 4.4389];

  it('touch the tiles that show the place, with what they show around themselves', () => {
    expect(meets(place, [here])).toBe(true);
    expect(meets({ ...place, x: place.x + 2 }, [here])).toBe(false);
    const edge = (place.x / 2 ** 16) * 360 - 180;
    const near: Bounds = [edge - 0.0001, 4.4389, edge - 0.0001, 4.4389];
    expect(meets(place, [near])).toBe(true);
    expect(meets({ ...place, x: place.x - 1 }, [near])).toBe(true);
    expect(meets({ z: 0, x: 0, y: 0 }, [[-180, -90, 180, 90]])).toBe(true);
    expect(meets(place, [])).toBe(false);
  });

  it('of generalised tiles touch those only', async () => {
    const change = { id: 'predios', features: [], generalised: [here], described: false };
    expect(touches(change, place, 16)).toBe(false);
    const tile = load();
    asked[0]!.answer('it', { 'lindero-generalised': 'true' });
    await tile;
    expect(touches(change, place, 16)).toBe(true);
    // A deeper one is made of it.
    expect(touches(change, { z: 17, x: 38_144, y: 63_918 }, 16)).toBe(true);
    expect(fetchedFor({ z: 18, x: 76_288, y: 127_836 }, 16)).toEqual(place);
  });
});
