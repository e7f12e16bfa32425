import { describe, expect, it } from 'vitest';

import type { Municipality } from '../api/types';
import { classesOf } from './classes';
import { attributesOf, boundsOf, bySector, featureTitle, folded, homeBounds, matches, nameAttribute, sourcesOf } from './collections';
import { sampleCollection, sampleLevels } from './samples';

const ibague: Municipality = {
  code: '73001',
  name: 'Ibagué',
  department: 'Tolima',
  inhabitants: 530_000,
  extent: [-75.6, 4.2, -74.9, 4.7],
};

describe('catalogue', () => {
  it('puts layers under their sectors, by rank and then by title', () => {
    const groups = bySector(
      [
        sampleCollection('b', { sector: 'tic', sectorTitle: { es: 'TIC', en: 'ICT' }, sectorRank: 7 }),
        sampleCollection('z', { title: { es: 'Ébanos', en: 'Z' } }),
        sampleCollection('a', { title: { es: 'Fincas', en: 'A' } }),
      ],
      'es',
    );
    expect(groups.map((group) => [group.title, group.collections.map((c) => c.id)])).toEqual([
      ['Cartografía base', ['z', 'a']],
      ['TIC', ['b']],
    ]);
  });

  it('finds layers without accents, in either language', () => {
    const layer = sampleCollection('usos', { title: { es: 'Clasificación del suelo', en: 'Land use' } });
    expect(matches(layer, 'clasificacion SUELO')).toBe(true);
    expect(matches(layer, 'land')).toBe(true);
    expect(matches(layer, 'rio')).toBe(false);
    expect(folded('Ñoño Bogotá')).toBe('nono bogota');
  });

  it('opens on the city where it is known', () => {
    const comunas = sampleCollection('comunas', {}, [-75.27, 4.4, -75.13, 4.47]);
    const other = sampleCollection('comunas', { municipality: '54001' }, [-72.6, 7.8, -72.4, 8]);
    expect(homeBounds([other, comunas], ibague)).toEqual([-75.27, 4.4, -75.13, 4.47]);
    expect(homeBounds([sampleCollection('colegios')], ibague)).toEqual(ibague.extent);
    expect(homeBounds([], undefined)).toBeNull();
  });

  it('reads boxes with and without heights', () => {
    expect(boundsOf(sampleCollection('x', {}, [1, 2, 0, 3, 4, 9]))).toEqual([1, 2, 3, 4]);
    expect(boundsOf(sampleCollection('x'))).toBeNull();
  });
});

describe('features', () => {
  it('have their names in what is their label, else in the only text there is', () => {
    const text = (name: string) => ({ name, type: 'text' as const, title: { es: name, en: name }, unit: null });
    const named = (label: string | null, ...names: string[]) => nameAttribute(sampleCollection('vias', { label, attributes: names.map(text) }));
    expect(named('via', 'via', 'nombre')).toBe('via');
    expect(named(null, 'via')).toBe('via');
    expect(named(null, 'via', 'nombre')).toBe('nombre');
    expect(nameAttribute(undefined)).toBe('nombre');
  });

  const layer = sampleCollection('x', { naturalKey: 'codigo' });
  const feature = (properties: Record<string, unknown>) => ({ type: 'Feature' as const, geometry: null, properties });

  it('are called by their label, else by their key', () => {
    expect(featureTitle(layer, feature({ nombre: 'Centro', codigo: '7' }))).toBe('Centro');
    expect(featureTitle(layer, feature({ nombre: '', codigo: '7' }))).toBe('7');
    expect(featureTitle(layer, feature({}))).toBeNull();
  });

  it('show what the catalogue does not list, too', () => {
    expect(attributesOf(layer, feature({ extra: 1, nombre: 'a' })).map((a) => a.name)).toEqual(['nombre', 'extra']);
  });
});

it('sources are named once each', () => {
  const of = (id: string, source: string | null) => {
    const collection = sampleCollection(id);
    return { ...collection, lindero: { ...collection.lindero, source } };
  };
  expect(sourcesOf([of('a', 'IGAC'), of('b', ''), of('c', null), of('d', 'DANE'), of('e', 'IGAC')])).toEqual(['IGAC', 'DANE']);
});

describe('classes', () => {
  it('take the colours of the domain, and others where it has none', () => {
    const classes = classesOf(sampleCollection('amenazas', { classifyBy: 'nivel', attributes: [sampleLevels] }));
    expect(classes.map((c) => c.value)).toEqual(['alta', 'media', 'baja', null]);
    expect(classes[0]?.color).toBe('#d7301f');
    expect(classes[2]?.color).toMatch(/^#[0-9a-f]{6}$/);
  });

  it('are never told apart by colour alone', () => {
    const values = Array.from({ length: 9 }, (_, n) => ({ value: `v${n}`, title: { es: `v${n}`, en: `v${n}` } }));
    const levels = { ...sampleLevels, domain: { values } };
    // The last are the features of no listed class.
    const classes = classesOf(sampleCollection('amenazas', { classifyBy: 'nivel', attributes: [levels] }));
    for (const key of ['hatch', 'form', 'dash'] as const) {
      expect(new Set(classes.map((c) => JSON.stringify(c[key]))).size).toBe(10);
    }
  });

  it('one, and the same each time, for a layer without them', () => {
    const first = classesOf(sampleCollection('colegios', { classifyBy: 'nombre' }));
    expect(first).toHaveLength(1);
    expect(classesOf(sampleCollection('colegios'))).toEqual(first);
  });
});
