import { describe, expect, it } from 'vitest';

import { testParity } from '../../i18n/parity';
import { sayIn } from '.';
import { en } from './en';
import { es } from './es';

describe('the texts of photos and documents', () => {
  testParity(es, en);

  it('count', () => {
    expect(sayIn('es')('send', { count: 1 })).toBe('Subir 1 archivo');
    expect(sayIn('en')('send', { count: 3 })).toBe('Upload 3 files');
  });
});
