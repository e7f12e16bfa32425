import { describe, expect, it } from 'vitest';

import { adminPage } from '../state/admin-address';
import { addressOf, parsePlace } from './address';

describe('an address of the administration', () => {
  it('names a section, an item and what is asked for', () => {
    const address = addressOf('layers', 'vías/1', new URLSearchParams({ q: 'a b' }));
    expect(address).toBe('#admin/layers/v%C3%ADas%2F1?q=a+b');
    const place = parsePlace(adminPage(address) ?? '');
    expect([place.section, place.item, place.query.get('q')]).toEqual(['layers', 'vías/1', 'a b']);
  });

  it('is the first page where it names none that there is', () => {
    for (const hash of ['#admin', '#admin/', '#admin/nothing', '#admin/toString']) {
      expect(parsePlace(adminPage(hash) ?? 'x').section, hash).toBeNull();
    }
    expect(parsePlace('accounts/%').item).toBeNull();
  });

  it("is not the map's", () => {
    for (const hash of ['', '#map=12/4/-75', '#administration=1', '#link=admin']) expect(adminPage(hash), hash).toBeNull();
  });
});
