import { expect, it } from 'vitest';

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();

/** Tests that texts say the same things in both languages, with the same parameters. */
export function testParity(es: Readonly<Record<string, string>>, en: Readonly<Record<string, string>>): void {
  it('say the same things in both languages', () => {
    expect(Object.keys(en).sort()).toEqual(Object.keys(es).sort());
  });

  it.each(Object.entries(es))('%s is not empty and takes the same parameters', (key, spanish) => {
    const english = en[key] ?? '';
    expect(spanish.trim()).not.toBe('');
    expect(english.trim()).not.toBe('');
    expect(placeholders(english)).toEqual(placeholders(spanish));
  });
}
