import { describe, expect, it } from 'vitest';

import { formatPermalink, parsePermalink, type Permalink } from './permalink';

const full: Permalink = {
  view: { zoom: 14.25, lat: 4.43891, lon: -75.23224 },
  municipality: '73001',
  layers: [
    { id: 'amenazas', opacity: 0.7 },
    { id: 'zonas_wifi', opacity: 1 },
  ],
  base: false,
  selected: { collection: 'predios', id: '812' },
  lang: 'en',
  theme: 'dark',
  moment: '2026-03-01T05:00:00.000Z',
};

describe('permalink', () => {
  it('writes an address that a person can read', () => {
    expect(formatPermalink(full)).toBe(
      'map=14.25/4.43891/-75.23224&city=73001&layers=amenazas:70,zonas_wifi&base=0&sel=predios/812&lang=en&theme=dark&at=2026-03-01T05:00:00Z',
    );
  });

  it('reads back what it wrote', () => {
    expect(parsePermalink(`#${formatPermalink(full)}`)).toEqual(full);
  });

  it('keeps feature ids with any character', () => {
    const id = 'a/b&c=d#e +%ñ';
    const link = { ...full, selected: { collection: 'predios', id } };
    expect(parsePermalink(formatPermalink(link)).selected).toEqual({ collection: 'predios', id });
  });

  it('gives defaults for an empty address', () => {
    expect(parsePermalink('')).toEqual({
      view: null,
      municipality: null,
      layers: [],
      base: true,
      selected: null,
      lang: null,
      theme: null,
      moment: null,
    });
  });

  it.each([
    ['map=99/4/-75', 'view'],
    ['map=12/4', 'view'],
    ['map=12//-75', 'view'],
    ['map=12/abc/-75', 'view'],
    ['sel=predios', 'selected'],
    ['sel=/812', 'selected'],
    ['sel=../812', 'selected'],
    ['city=ibague', 'municipality'],
    ['lang=fr', 'lang'],
    ['theme=neon', 'theme'],
  ] as const)('ignores %s', (hash, member) => {
    expect(parsePermalink(hash)[member]).toBeNull();
  });

  it('ignores layers that cannot be, repeated ones and odd opacities', () => {
    expect(parsePermalink('layers=vias,<b>,vias:50,barrios:900,').layers).toEqual([
      { id: 'vias', opacity: 0.5 },
      { id: 'barrios', opacity: 1 },
    ]);
  });
});
