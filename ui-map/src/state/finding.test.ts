import { describe, expect, it } from 'vitest';

import type { Feature, Here } from '../api/types';
import { bySize, likeliest } from './finding.svelte';

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

const here = (...groups: [string, Feature[]][]): Here => ({
  point: [0, 0],
  truncated: false,
  collections: groups.map(([id, features]) => ({ id, title: id, sector: 'x', numberReturned: features.length, features })),
});

describe('likeliest', () => {
  it('is the smallest area', () => {
    expect(likeliest(here(['comunas', [square(1, 9)]], ['predios', [square(2, 1)]]))).toEqual({ collection: 'predios', id: '2' });
  });

  it('is a mark before a line, and a line before an area', () => {
    expect(likeliest(here(['predios', [square(2, 1)]], ['vias', [street]]))).toEqual({ collection: 'vias', id: '7' });
    expect(likeliest(here(['vias', [street]], ['zonas_wifi', [mark]]))).toEqual({ collection: 'zonas_wifi', id: 'p' });
  });

  it('is nothing where nothing is', () => {
    expect(likeliest(here())).toBeNull();
    expect(likeliest(here(['x', [{ ...mark, id: undefined }]]))).toBeNull();
  });
});

it('what is here goes from the particular to the general', () => {
  const { collections } = here(['comunas', [square(1, 9)]], ['predios', [square(2, 1)]], ['zonas_wifi', [mark]], ['vias', [street]]);
  expect(bySize(collections).map((group) => group.id)).toEqual(['zonas_wifi', 'vias', 'predios', 'comunas']);
});
