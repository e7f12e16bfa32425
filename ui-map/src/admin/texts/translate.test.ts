import { describe, expect, it } from 'vitest';

import { testParity } from '../../i18n/parity';
import { en } from './en';
import { es } from './es';
import { translateAdmin } from './translate';

describe('texts of the administration', () => {
  testParity(es, en);

  it('put parameters in their places, and numbers as the language writes them', () => {
    expect(translateAdmin('es', 'rows', { count: 1 })).toBe('1 fila');
    expect(translateAdmin('en', 'rows', { count: 12_000 })).toBe('12,000 rows');
    expect(translateAdmin('es', 'closeTitle', { name: 'eva' })).toBe('¿Cerrar la cuenta eva?');
  });
});
