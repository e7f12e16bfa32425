import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { apiUrl, getFeature, getHere, getItems, RequestFailure, search } from './client';

const answer = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });

let asked: string[];
const server = (respond: () => Response | Promise<Response>) =>
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(url);
    return Promise.resolve().then(respond);
  });

beforeEach(() => {
  asked = [];
  vi.stubGlobal('document', { baseURI: 'http://city.example/mapas/' });
});
afterEach(() => vi.unstubAllGlobals());

describe('addresses', () => {
  it('lie under the base path', () => {
    expect(apiUrl('collections?f=json')).toBe('http://city.example/mapas/collections?f=json');
    expect(apiUrl('?f=json')).toBe('http://city.example/mapas/?f=json');
  });

  it('say what is asked, with nothing unescaped', async () => {
    server(() => answer({ results: [], features: [] }));
    await search('calle 5 & más', 'es');
    await getHere(-75.23221234567, 4.4389, 12.6, 'en');
    await getItems('vias', [-75.3, 4.4, -75.1, 4.5], 50);
    await getFeature('predios', 'a/b');
    expect(asked.map((url) => url.replace('http://city.example/mapas/', ''))).toEqual([
      'search?q=calle+5+%26+m%C3%A1s&limit=10&lang=es',
      'here?lon=-75.2322123&lat=4.4389000&tolerance=13&lang=en',
      'collections/vias/items?bbox=-75.300000%2C4.400000%2C-75.100000%2C4.500000&limit=50',
      'collections/predios/items/a%2Fb',
    ]);
  });

  it('never ask for a tolerance that the server refuses', async () => {
    server(() => answer({}));
    await getHere(0, 0, 99_999, 'es');
    expect(asked[0]).toContain('tolerance=1000');
  });
});

describe('failures', () => {
  const failure = async () => {
    const error: unknown = await search('x', 'es').catch((e: unknown) => e);
    expect(error).toBeInstanceOf(RequestFailure);
    return error as RequestFailure;
  };

  it('carry the detail of a problem document', async () => {
    server(() => answer({ title: 'Bad', detail: 'q is too short' }, 400));
    expect(await failure()).toMatchObject({ kind: 'refused', status: 400, detail: 'q is too short' });
  });

  it('tell a server in trouble from one that is not there', async () => {
    server(() => new Response('<html>Bad gateway</html>', { status: 502 }));
    expect(await failure()).toMatchObject({ kind: 'server', status: 502, detail: null });
    server(() => Promise.reject(new TypeError('Failed to fetch')));
    expect(await failure()).toMatchObject({ kind: 'unreachable' });
    server(() => new Response('not JSON'));
    expect(await failure()).toMatchObject({ kind: 'server' });
  });
});
