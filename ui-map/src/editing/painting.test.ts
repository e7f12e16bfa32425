import { validateStyleMin } from '@maplibre/maplibre-gl-style-spec';
import { describe, expect, it, vi } from 'vitest';

import { drawing, painted, put } from './painting';

describe('what editing draws', () => {
  it.each(['light', 'dark'] as const)('keeps to the style specification: %s', (theme) => {
    expect(validateStyleMin({ version: 8, ...drawing(theme, 'editing') })).toEqual([]);
  });

  it('stays in its sources, for the next style', () => {
    const own = drawing('light', 'editing');
    const show = vi.fn();
    put(own, 'editing', { shapes: [painted('chosen', { type: 'Point', coordinates: [0, 0] }, '=1')], handles: [] }, show);
    expect(show.mock.calls.map(([source]) => source as string)).toEqual(['editing:shapes', 'editing:handles']);
    expect(own.sources['editing:shapes']!.data).toMatchObject({ features: [{ properties: { role: 'chosen', key: '=1' } }] });
  });
});
