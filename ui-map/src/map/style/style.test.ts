import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import { describe, expect, it } from 'vitest';

import { sampleCollection, sampleLevels } from '../../catalogue/samples';
import { BASE_COLLECTIONS } from './base';
import { firstTiles } from './first-tiles';
import { parseImage } from './images';
import { palettes } from './palette';
import { buildStyle, type Picture } from './style';

const base = BASE_COLLECTIONS.map((id) =>
  sampleCollection(id, id === 'vias' ? { geometryType: 'MultiLineString' } : id === 'hidrografia' ? { geometryType: 'Geometry' } : id === 'centros_poblados' ? { geometryType: 'Point' } : {}),
);
const hazards = sampleCollection('amenazas', { classifyBy: 'nivel', attributes: [sampleLevels], minZoom: 9 });
const mixed = sampleCollection('patrimonio', { geometryType: 'Geometry' });
const condition = sampleCollection('estado_vial', { geometryType: 'LineString', classifyBy: 'nivel', attributes: [sampleLevels] });

const picture = (more: Partial<Picture> = {}): Picture => ({
  collections: [...base, hazards, mixed, condition],
  municipality: '73001',
  municipalityName: 'Ibagué',
  layers: [],
  base: true,
  theme: 'light',
  highlighted: null,
  point: null,
  ...more,
});

const ids = (made: Picture) => buildStyle(made).layers.map((layer) => layer.id);
const everything = [hazards, mixed, condition].map(({ id }) => ({ id, opacity: 0.5 }));

describe('buildStyle', () => {
  it.each([
    ['light, base map only', picture()],
    ['dark, all layers', picture({ theme: 'dark', layers: everything })],
    ['no base map', picture({ base: false, layers: everything })],
    ['nothing at all', picture({ collections: [] })],
    ['streets without classes', picture({ collections: [sampleCollection('vias', { geometryType: 'LineString' })] })],
    ['a question and its answer', picture({
      point: [-75.2, 4.4],
      highlighted: { type: 'Feature', geometry: { type: 'Point', coordinates: [-75.2, 4.4] }, properties: {} },
    })],
  ])('keeps to the style specification: %s', (_name, made) => {
    expect(validateStyleMin(buildStyle(made))).toEqual([]);
  });

  it('asks for tiles row before column', () => {
    expect(buildStyle(picture()).sources.vias).toMatchObject({
      tiles: ['lindero://collections/vias/tiles/WebMercatorQuad/{z}/{y}/{x}'],
    });
  });

  it('asks for a moment of those layers that keep it', () => {
    const kept = sampleCollection('obras', { history: '2026-01-01T00:00:00Z' });
    const layers = [...everything, { id: 'obras', opacity: 1 }];
    const { sources } = buildStyle(picture({ collections: [...base, hazards, mixed, condition, kept], layers, moment: '2026-03-01T00:00:00.000Z' }));
    expect(sources.obras).toMatchObject({ tiles: [expect.stringMatching(/\{z\}\/\{y\}\/\{x\}\?datetime=2026-03-01T00%3A00%3A00\.000Z$/)] });
    expect(sources.amenazas).toMatchObject({ tiles: [expect.stringMatching(/\{x\}$/)] });
  });

  it('leaves out what is drawn otherwise, in every layer of its source and in no other', () => {
    const made = picture({ layers: everything, hidden: new Map([['amenazas', [7, 8]]]) });
    expect(validateStyleMin(buildStyle(made))).toEqual([]);
    const filters = buildStyle(made).layers.flatMap((layer) => ('source' in layer ? [[layer.source, JSON.stringify(layer.filter ?? null)]] : []));
    for (const [source, filter] of filters) expect(filter!.includes('[7,8]'), source).toBe(source === 'amenazas');
  });

  it('asks for no heavy layer from far away', () => {
    const from = new Map(buildStyle(picture()).layers.map((layer) => [layer.id, 'minzoom' in layer ? layer.minzoom : 0]));
    expect(from.get('base:predios')).toBeGreaterThanOrEqual(15);
    expect(from.get('base:manzanas')).toBeGreaterThanOrEqual(12);
    const overlay = buildStyle(picture({ layers: everything })).layers.find((layer) => layer.id === 'over:amenazas:fill');
    expect(overlay).toMatchObject({ minzoom: 9 });
  });

  it('puts the name of the city where its blocks are, else somewhere in the municipality', () => {
    const comunas = sampleCollection('comunas', {}, [-75.5, 4.25, -75, 4.75]);
    const known = buildStyle(picture({ collections: [...base.filter(({ id }) => id !== 'comunas'), comunas] }));
    expect(known.sources[':city']).toMatchObject({ data: { properties: { name: 'Ibagué' }, geometry: { coordinates: [-75.25, 4.5] } } });
    expect(ids(picture())).toContain('base:limite_municipal:place');
    expect(ids(picture({ base: false, collections: [comunas] }))).not.toContain('base:city');
  });

  it('writes no name twice: what a switched-on layer names, the base map leaves', () => {
    const layers = (made: Picture) => new Map(buildStyle(made).layers.map((layer) => [layer.id, layer]));
    const [alone, both] = [layers(picture()), layers(picture({ layers: [{ id: 'barrios', opacity: 1 }] }))];
    const [own, over] = [both.get('base:barrios:place'), both.get('over:barrios:label')];
    expect(over).toBeDefined();
    expect(own ? own.maxzoom : 0).toBeLessThanOrEqual(over?.minzoom ?? 0);
    expect(alone.get('base:barrios:place')?.maxzoom).toBeGreaterThan(over?.minzoom ?? 24);
    expect(both.get('base:comunas:place')).toEqual(alone.get('base:comunas:place'));
  });

  it('draws without any base collection', () => {
    const made = picture({ collections: [hazards], layers: [{ id: 'amenazas', opacity: 1 }] });
    expect(ids(made)[0]).toBe('background');
    expect(ids(made)).toContain('over:amenazas:fill');
    expect(Object.keys(buildStyle(made).sources)).toEqual([':highlight', ':asked', 'amenazas']);
  });

  it('puts areas under the streets, lines over them, texts and the highlight on top', () => {
    const order = ids(picture({ layers: everything }));
    const at = (id: string) => order.indexOf(id);
    expect(at('base:manzanas')).toBeLessThan(at('over:amenazas:fill'));
    expect(at('over:amenazas:outline')).toBeLessThan(at('base:vias'));
    expect(at('base:vias')).toBeLessThan(at('over:estado_vial:line'));
    expect(at('over:estado_vial:line')).toBeLessThan(at('base:comunas:place'));
    expect(order[order.length - 1]).toBe('highlight:asked');
  });

  it('draws each geometry of a mixed layer in its own way', () => {
    const own = ids(picture({ layers: everything })).filter((id) => id.startsWith('over:patrimonio'));
    expect(own).toEqual(expect.arrayContaining(['over:patrimonio:fill', 'over:patrimonio:line', 'over:patrimonio:mark']));
  });

  it('takes base layers of the shown municipality only', () => {
    const other = base.map((c) => ({ ...c, lindero: { ...c.lindero, municipality: '54001' } }));
    expect(ids(picture({ collections: other }))).not.toContain('base:vias');
  });

  it('has the same layers in both themes, in other colours', () => {
    expect(ids(picture({ theme: 'dark' }))).toEqual(ids(picture({ theme: 'light' })));
    expect(buildStyle(picture({ theme: 'dark' }))).not.toEqual(buildStyle(picture({ theme: 'light' })));
  });

  it.each(['light', 'dark'] as const)('tells roads from the country from afar: %s', (theme) => {
    const { rural, street } = palettes[theme];
    for (const name of ['rural', 'principal', 'arteria'] as const) {
      expect(contrast(street[name].afar, rural), name).toBeGreaterThan(1.25);
    }
  });

  it('keeps names off the marks, unless these are everywhere', () => {
    const marks = (featureCount: number) => {
      const places = sampleCollection('zonas_wifi', { geometryType: 'Point', featureCount });
      const made = picture({ collections: [...base, places], layers: [{ id: 'zonas_wifi', opacity: 1 }] });
      return buildStyle(made).layers.find(({ id }) => id === 'over:zonas_wifi:mark');
    };
    expect(marks(48)).toMatchObject({ layout: { 'icon-allow-overlap': true, 'icon-ignore-placement': false } });
    expect(marks(4000)).toMatchObject({ layout: { 'icon-allow-overlap': true, 'icon-ignore-placement': true } });
  });
});

describe('images', () => {
  it('are named by what they show', () => {
    expect(parseImage('mark|square|#123456|#ffffff')).toEqual({ kind: 'mark', form: 'square', color: '#123456', halo: '#ffffff' });
    expect(parseImage('hatch|dots|#123456')).toEqual({ kind: 'hatch', hatch: 'dots', color: '#123456' });
    expect(parseImage('airport-11')).toBeNull();
  });
});

describe('firstTiles', () => {
  const streets = sampleCollection('vias', { geometryType: 'LineString' }, [-75.3, 4.4, -75.1, 4.5]);
  const view = { lon: -75.2322, lat: 4.4389, zoom: 13.4 };

  it('names the tiles under the view, row before column', () => {
    const urls = firstTiles(buildStyle(picture({ collections: [streets] })), view, 100, 100);
    expect(urls).toContain('lindero://collections/vias/tiles/WebMercatorQuad/13/3994/2384');
    expect(urls.length).toBeLessThanOrEqual(4);
  });

  it('stops at the deepest tiles that the source has', () => {
    const urls = firstTiles(buildStyle(picture({ collections: [streets] })), { ...view, zoom: 18 }, 100, 100);
    expect(urls.every((url) => url.includes('/WebMercatorQuad/15/'))).toBe(true);
  });

  it('names nothing that no layer shows at the zoom, or that lies outside of the data', () => {
    const made = buildStyle(picture({ collections: [streets] }));
    expect(firstTiles(made, { ...view, zoom: 8 }, 100, 100)).toEqual([]);
    expect(firstTiles(made, { ...view, lon: -74 }, 100, 100)).toEqual([]);
  });
});

/** WCAG's contrast ratio of two colours, `#rrggbb`. */
function contrast(one: string, other: string): number {
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = [1, 3, 5]
      .map((at) => parseInt(color.slice(at, at + 2), 16) / 255)
      .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
