import { describe, expect, it } from 'vitest';

import type { Attribute } from '../api/types';
import { sampleCollection, sampleLevels } from '../catalogue/samples';
import { fieldsOf, readValue, shownValue } from './values';

const attribute = (name: string, type: Attribute['type'], more: Partial<Attribute> = {}): Attribute => ({
  name, type, title: { es: name, en: name }, unit: null, ...more,
});
const collection = sampleCollection('sedes', {
  attributes: [
    sampleLevels,
    attribute('codigo', 'text', { required: true }),
    attribute('pisos', 'integer', { domain: { range: { min: 1, max: 60 } } }),
    attribute('area', 'number'),
    attribute('activa', 'boolean'),
    attribute('visto', 'date_time'),
    attribute('fecha', 'date'),
    attribute('otros', 'json'),
    attribute('nota', 'text'),
  ],
});
const fields = fieldsOf(collection, {
  properties: { area: { readOnly: true, minimum: 0 }, nota: { maxLength: 2000 } },
  required: ['fecha'],
});
const field = (name: string) => fields.find((f) => f.attribute.name === name)!;

describe('the form', () => {
  it('has a field for each attribute, of its kind', () => {
    expect(fields.map(({ kind }) => kind)).toEqual(['choice', 'line', 'integer', 'number', 'yesno', 'date_time', 'date', 'json', 'lines']);
    expect(fields.filter(({ required }) => required).map((f) => f.attribute.name)).toEqual(['codigo', 'fecha']);
    expect(field('area')).toMatchObject({ readOnly: true, min: 0, max: null });
    expect(field('pisos')).toMatchObject({ min: 1, max: 60 });
  });

  it('reads what was typed as the attribute holds it', () => {
    expect(readValue(field('pisos'), '12')).toEqual({ value: 12 });
    expect(readValue(field('nivel'), 'alta')).toEqual({ value: 'alta' });
    expect(readValue(field('activa'), 'false')).toEqual({ value: false });
    expect(readValue(field('otros'), '{"a": [1]}')).toEqual({ value: { a: [1] } });
    expect(readValue(field('fecha'), '2026-03-01')).toEqual({ value: '2026-03-01' });
    for (const one of fields) expect(readValue(one, ' ')).toEqual({ value: null });
  });

  it('says what is wrong with it', () => {
    expect(readValue(field('pisos'), '2.5')).toEqual({ fault: 'notNumber' });
    expect(readValue(field('pisos'), '61')).toEqual({ fault: 'outOfRange' });
    expect(readValue(field('otros'), '{')).toEqual({ fault: 'notJson' });
  });

  it('shows a moment in the time of who reads it, and reads it back', () => {
    const shown = shownValue(field('visto'), '2026-03-01T12:00:05.000Z');
    expect(shown).toMatch(/^2026-03-01T\d\d:00:05$/);
    expect(readValue(field('visto'), shown)).toEqual({ value: '2026-03-01T12:00:05.000Z' });
    expect(shownValue(field('pisos'), null)).toBe('');
    expect(shownValue(field('otros'), { a: 1 })).toContain('"a"');
  });
});
