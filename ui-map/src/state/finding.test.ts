import { describe, expect, it } from 'vitest';

import type { Feature, HereGroup } from '../api/types';
import { byRelevance, likeliest } from './finding.svelte';

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
