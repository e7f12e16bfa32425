import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import type { Bounds, Feature, HereGroup } from '../api/types';
import { byRelevance, Finding, likeliest } from './finding.svelte';

const square = (id: number, size: number): Feature => ({
  type: 'Feature',
  id,
  properties: {},
  geometry: { type: 'Polygon', coordinates: [[[0, 0], [size, 0], [size, size], [0, size], [0, 0]]] },
});
const mark: Feature = { type: 'Feature', id: 'p', properties: {}, geometry: { type: 'Point', coordinates: [0, 0] } };
const street: Feature = {
  type: 'Feature',
  id: 7,
  properties: {},
  geometry: { type: 'LineString', coordinates: [[0, 0], [1, 1]] },
};

const group = (id: string, ...features: Feature[]): HereGroup => ({
  id,
  title: id,
  sector: 'x',
  numberReturned: features.length,
  features,
});
const none = new Set<string>();

describe('what is here', () => {
  const groups = [
    group('comunas', square(1, 9)), group('predios', square(2, 1)), group('zonas_wifi', mark), group('vias', street),
  ];
  const ids = (found: HereGroup[]) => found.map(({ id }) => id);

  it('goes from the particular to the general', () => {
    expect(ids(byRelevance(groups, none))).toEqual(['zonas_wifi', 'vias', 'predios', 'comunas']);
  });

  it('begins with the layers that are switched on', () => {
    expect(ids(byRelevance(groups, new Set(['comunas', 'predios'])))).toEqual(['predios', 'comunas', 'zonas_wifi', 'vias']);
  });
});

describe('likeliest', () => {
  it('is the smallest of the first layer', () => {
    expect(likeliest([group('predios', square(2, 3), square(3, 1)), group('vias', street)])).toEqual({ collection: 'predios', id: '3' });
  });

  it('has an id', () => {
    expect(likeliest([group('x', { ...mark, id: undefined }), group('vias', street)])).toEqual({ collection: 'vias', id: '7' });
    expect(likeliest([])).toBeNull();
  });
});

describe('what was found', () => {
  const change = (id: string, box: Bounds) => ({ id, features: [box], generalised: [], described: false });
  let now: Feature | null;
  beforeEach(() => {
    vi.stubGlobal('document', { baseURI: 'http://city.example/' });
    vi.stubGlobal('fetch', () =>
      Promise.resolve(now ? new Response(JSON.stringify(now)) : new Response('{}', { status: 404 })),
    );
  });
  afterEach(() => vi.unstubAllGlobals());

  it('is touched by changes of its collections where it lies', async () => {
    const finding = new Finding();
    expect(finding.isTouchedBy([change('predios', [0, 0, 1, 1])])).toBe(false);
    now = square(3, 1);
    await finding.byId('predios', 3);
    expect(finding.isTouchedBy([change('predios', [0.5, 0.5, 9, 9])])).toBe(true);
    expect(finding.isTouchedBy([change('predios', [5, 5, 9, 9]), change('vias', [0, 0, 1, 1])])).toBe(false);
  });

  it('follows what changes, stays chosen, and says when it is gone', async () => {
    const finding = new Finding();
    now = square(3, 1);
    await finding.byId('predios', 3);
    expect(await finding.refresh()).toBe(false);
    now = { ...square(3, 1), properties: { uso: 'comercio' } };
    const refreshed = finding.refresh();
    expect(finding.found.status).toBe('ready');
    expect(await refreshed).toBe(true);
    expect(finding.feature?.properties).toEqual({ uso: 'comercio' });
    now = null;
    expect(await finding.refresh()).toBe(true);
    expect(finding.found.status).toBe('failed');
  });
});
