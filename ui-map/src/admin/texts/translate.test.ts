import { describe, expect, it } from 'vitest';

import { en } from './en';
import { es, type AdminMessage } from './es';
import { translateAdmin } from './translate';

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

describe('texts of the administration', () => {
  it('say the same things in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(es).sort());
  });

  it.each(Object.keys(es) as AdminMessage[])('%s is not empty and takes the same parameters', (key) => {
    expect(es[key].trim()).not.toBe('');
    expect(en[key].trim()).not.toBe('');
    expect(placeholders(en[key])).toEqual(placeholders(es[key]));
  });

  it('put parameters in their places, and numbers as the language writes them', () => {
    expect(translateAdmin('es', 'rows', { count: 1 })).toBe('1 fila');
    expect(translateAdmin('en', 'rows', { count: 12_000 })).toBe('12,000 rows');
    expect(translateAdmin('es', 'closeTitle', { name: 'eva' })).toBe('¿Cerrar la cuenta eva?');
  });
});
