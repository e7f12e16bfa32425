import { describe, expect, it } from 'vitest';

import type { LayerDefinition } from '../types';
import { changeOf, draftOf, fieldOf } from './draft';

const LAYER: LayerDefinition = {
  title: { es: 'Barrios' },
  sector: 'planeacion',
  visibility: 'publica',
  update_frequency: 'annually',
  label: 'nombre',
  min_zoom: 10,
  attributes: [
    { name: 'nombre', type: 'text', title: { es: 'Nombre', en: 'Name' } },
    { name: 'estrato', type: 'integer', domain: { values: [{ value: '1', color: '#336699' }] } },
    { name: 'area', type: 'number', domain: { range: { min: 0, max: 9 } } },
  ],
};

describe("a layer's form", () => {
  it('sends nothing where nothing was changed', () => {
    expect(changeOf(draftOf(LAYER), draftOf(LAYER))).toEqual({});
  });

  it('sends what was changed alone', () => {
    const draft = draftOf(LAYER);
    draft.titleEn = 'Neighbourhoods';
    draft.label = '';
    draft.minZoom = '12';
    draft.attributes[2]!.visibility = 'clasificada';
    draft.attributes[2]!.legalReason = 'Ley 1712';
    expect(changeOf(draftOf(LAYER), draft)).toEqual({
      title: { es: 'Barrios', en: 'Neighbourhoods' },
      label: null,
      min_zoom: 12,
      attributes: [{ name: 'area', visibility: 'clasificada', legal_reason: 'Ley 1712' }],
    });
  });

  it('sends the values of an attribute as a whole', () => {
    const draft = draftOf(LAYER);
    draft.attributes[1]!.values.push({ value: '2', es: 'Dos', en: '', color: '' });
    expect(changeOf(draftOf(LAYER), draft).attributes).toEqual([
      {
        name: 'estrato',
        values: [
          { value: '1', title: { es: '', en: '' }, color: '#336699' },
          { value: '2', title: { es: 'Dos', en: '' }, color: null },
        ],
      },
    ]);
    expect(draft.attributes.map(({ isListable }) => isListable)).toEqual([true, true, false]);
  });

  it('knows which field was refused', () => {
    const change = { attributes: [{ name: 'nombre' }, { name: 'area' }] };
    expect(fieldOf(change, 'attributes[1].legal_reason')).toBe('area.legal_reason');
    expect(fieldOf(change, 'attributes[7].legal_reason')).toBe('attributes[7].legal_reason');
    expect(fieldOf(change, 'title.es')).toBe('title.es');
    expect(fieldOf(change, null)).toBeNull();
  });
});
