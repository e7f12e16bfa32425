import { describe, expect, it } from 'vitest';

import { en } from './en';
import { es } from './es';
import { testParity } from './parity';
import { preferredLang, translate, translateCode } from './translate';

describe('texts', () => {
  testParity(es, en);

  it('put parameters in their places', () => {
    expect(translate('es', 'searchCount', { count: 3 })).toBe('3 resultados');
    expect(translate('es', 'searchCount', { count: 1 })).toBe('1 resultado');
    expect(translate('en', 'layersActive', { count: 0 })).toBe('0 switched on');
    expect(translate('en', 'appTitle', { name: 'Ibagué' })).toBe('Map of Ibagué');
  });

  it('show a code that they do not know as it is', () => {
    expect(translateCode('es', 'frequency', 'annually')).toBe('Anual');
    expect(translateCode('es', 'frequency', 'every_moon')).toBe('every_moon');
  });
});

describe('language', () => {
  it.each([
    [['es-CO', 'en'], 'es'],
    [['en-US', 'es'], 'en'],
    [['fr', 'EN-gb'], 'en'],
    [['fr', 'de'], 'es'],
    [[], 'es'],
  ] as const)('of %j is %s', (languages, lang) => {
    expect(preferredLang(languages)).toBe(lang);
  });
});
