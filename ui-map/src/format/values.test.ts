import { describe, expect, it } from 'vitest';

import type { Attribute } from '../api/types';
import { formatDate, formatNumber, formatPoint, formatValue } from './values';

const attribute = (more: Partial<Attribute> = {}): Attribute => ({
  name: 'x',
  type: 'text',
  title: { es: 'X', en: 'X' },
  unit: null,
  ...more,
});

describe('formatValue', () => {
  it('says that there is none', () => {
    for (const nothing of [null, undefined, '']) expect(formatValue(attribute(), nothing, 'es')).toBe('Sin dato');
  });

  it('keeps zero and false', () => {
    expect(formatValue(attribute({ type: 'integer' }), 0, 'es')).toBe('0');
    expect(formatValue(attribute({ type: 'boolean' }), false, 'en')).toBe('No');
  });

  it('shows the title of a coded value, whatever the type that it comes in', () => {
    const level = attribute({ domain: { values: [{ value: 1, title: { es: 'Alta', en: 'High' } }] } });
    expect(formatValue(level, 1, 'es')).toBe('Alta');
    expect(formatValue(level, '1', 'en')).toBe('High');
    expect(formatValue(level, '2', 'en')).toBe('2');
  });

  it('writes numbers as the language does, with their unit', () => {
    const area = attribute({ type: 'number', unit: 'm2' });
    expect(formatValue(area, 12345.678, 'es')).toBe('12.345,68 m²');
    expect(formatValue(area, 12345.678, 'en')).toBe('12,345.68 m²');
  });

  it('writes units as people do', () => {
    expect(formatValue(attribute({ type: 'integer', unit: '[COP]' }), 3_270_852_000, 'es')).toBe('3.270.852.000 COP');
    expect(formatValue(attribute({ type: 'integer', unit: '{personas}' }), 12, 'es')).toBe('12 personas');
    expect(formatValue(attribute({ type: 'number', unit: 'Mbit/s' }), 5, 'en')).toBe('5 Mbit/s');
    expect(formatValue(attribute({ type: 'number', unit: 'har' }), 12.95, 'es')).toBe('12,95 ha');
  });

  it('never groups a year or a parcel number', () => {
    expect(formatNumber(2021, 'es')).toBe('2021');
    expect(formatValue(attribute(), '730010101000000120034000000000', 'es')).toBe('730010101000000120034000000000');
  });

  it('keeps the digits that a number needs', () => {
    expect(formatNumber(4.43891, 'es')).toBe('4,43891');
    expect(formatNumber(0.0034, 'en')).toBe('0.0034');
    expect(formatNumber(87.13000000000001, 'en')).toBe('87.13');
    expect(formatNumber(123_456.789, 'es')).toBe('123.456,79');
  });

  it('shows structured values as JSON', () => {
    expect(formatValue(attribute({ type: 'json' }), { a: [1] }, 'es')).toBe('{"a":[1]}');
  });
});

describe('formatDate', () => {
  it('does not move a date to another day', () => {
    expect(formatDate('2026-01-01', 'en')).toBe('1 Jan 2026');
    expect(formatDate('2026-01-01', 'es')).toMatch(/^1 .*ene.* 2026$/);
  });

  it('leaves what is no date', () => {
    expect(formatDate('en 2019', 'es')).toBe('en 2019');
  });
});

it('a point is said latitude first', () => {
  expect(formatPoint(-75.2322, 4.4389)).toBe('4.43890, -75.23220');
});
