import { describe, expect, it } from 'vitest';

import { testParity } from '../../i18n/parity';
import { en } from './en';
import { es } from './es';
import { editingText } from '.';

describe('the texts of editing', () => {
  testParity(es, en);

  it('count', () => {
    expect(editingText('es', 'unsaved', { count: 1 })).toBe('1 elemento sin guardar');
    expect(editingText('en', 'didSplit', { count: 3 })).toBe('Split into 3 pieces.');
  });
});
