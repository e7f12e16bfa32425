import { describe, expect, it } from 'vitest';

import { en } from './en';
import { es, type MessageKey } from './es';
import { editingText } from '.';

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

describe('the texts of editing', () => {
  it('say the same things in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(es).sort());
  });

  it.each(Object.keys(es) as MessageKey[])('%s is not empty and takes the same parameters', (key) => {
    expect(es[key].trim()).not.toBe('');
    expect(en[key].trim()).not.toBe('');
    expect(placeholders(en[key])).toEqual(placeholders(es[key]));
  });

  it('count', () => {
    expect(editingText('es', 'unsaved', { count: 1 })).toBe('1 elemento sin guardar');
    expect(editingText('en', 'didSplit', { count: 3 })).toBe('Split into 3 pieces.');
  });
});
