import type { Attribute, Collection, LayerInfo } from '../api/types';

/** A collection for tests: a public layer of polygons without classes, unless said otherwise. */
export function sampleCollection(id: string, more: Partial<LayerInfo> = {}, bbox?: number[]): Collection {
  return {
    id,
    title: id,
    extent: bbox ? { spatial: { bbox: [bbox] } } : null,
    lindero: {
      municipality: '73001',
      kind: 'managed',
      title: { es: id, en: id },
      description: { es: '', en: '' },
      sector: 'base',
      sectorTitle: { es: 'Cartografía base', en: 'Base map' },
      sectorRank: 0,
      geometryType: 'MultiPolygon',
      featureCount: 1,
      visibility: 'publica',
      subject: 'thing',
      overdue: false,
      label: 'nombre',
      classifyBy: null,
      minZoom: 0,
      attributes: [{ name: 'nombre', type: 'text', title: { es: 'Nombre', en: 'Name' }, unit: null }],
      ...more,
    },
  };
}

/** An attribute with a domain of three levels, the last without a colour of its own. */
export const sampleLevels: Attribute = {
  name: 'nivel',
  type: 'text',
  title: { es: 'Nivel', en: 'Level' },
  unit: null,
  domain: {
    values: [
      { value: 'alta', title: { es: 'Alta', en: 'High' }, color: '#d7301f' },
      { value: 'media', title: { es: 'Media', en: 'Medium' }, color: '#fc8d59' },
      { value: 'baja', title: { es: 'Baja', en: 'Low' } },
    ],
  },
};
