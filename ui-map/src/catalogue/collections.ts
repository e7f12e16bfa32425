import type { Attribute, Bounds, Collection, Feature, Lang, Municipality } from '../api/types';

/** Layers of one sector, in the order of the panel. */
export interface SectorGroup {
  sector: string;
  title: string;
  collections: Collection[];
}

/** The layers by sector: the sectors by rank, the layers of each by title. */
export function bySector(collections: Collection[], lang: Lang): SectorGroup[] {
  const groups = new Map<string, SectorGroup & { rank: number }>();
  for (const collection of collections) {
    const { sector, sectorTitle, sectorRank } = collection.lindero;
    const group = groups.get(sector) ?? { sector, title: sectorTitle[lang], rank: sectorRank, collections: [] };
    group.collections.push(collection);
    groups.set(sector, group);
  }
  const compare = new Intl.Collator(lang).compare;
  return [...groups.values()]
    .sort((a, b) => a.rank - b.rank || compare(a.title, b.title))
    .map(({ sector, title, collections }) => ({
      sector,
      title,
      collections: collections.sort((a, b) => compare(a.lindero.title[lang], b.lindero.title[lang])),
    }));
}

/** Lower case without accents: what people type when they look for something. */
export const folded = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase();

/** Whether a layer answers to what was typed: every word is in its title, description, sector or id. */
export function matches(collection: Collection, typed: string): boolean {
  const { title, description, sectorTitle } = collection.lindero;
  const text = folded(
    [collection.id, title.es, title.en, description.es, description.en, sectorTitle.es, sectorTitle.en].join(' '),
  );
  return folded(typed)
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export function boundsOf(collection: Collection): Bounds | null {
  const box = collection.extent?.spatial?.bbox?.[0];
  if (!box || box.some((ordinate) => !Number.isFinite(ordinate))) return null;
  const [west, south, east, north] = box.length === 6 ? [box[0], box[1], box[3], box[4]] : box;
  return west === undefined || south === undefined || east === undefined || north === undefined
    ? null
    : [west, south, east, north];
}

/** Who the official sources of these layers are, each once. */
export const sourcesOf = (collections: Collection[]): string[] => [
  ...new Set(collections.map(({ lindero }) => lindero.source).filter((source): source is string => Boolean(source))),
];

/** Layers whose extent is the city itself: the municipality's own reaches far into the hills. */
export const URBAN = ['comunas', 'manzanas', 'barrios', 'vias'];

/** Where the map opens: on the city where we know it, else on the municipality, else on the first layer that is somewhere. */
export function homeBounds(collections: Collection[], municipality: Municipality | undefined): Bounds | null {
  const own = municipality ? collections.filter((c) => c.lindero.municipality === municipality.code) : collections;
  for (const id of URBAN) {
    const bounds = own.filter((c) => c.id === id).map(boundsOf)[0];
    if (bounds) return bounds;
  }
  return municipality?.extent ?? own.map(boundsOf).find((bounds) => bounds !== null) ?? null;
}

/** The attribute that has features' names; where nobody said, `nombre`, or the only text that there is. */
export function nameAttribute(collection: Collection | undefined): string {
  const texts = (collection?.lindero.attributes ?? []).filter((a) => a.type === 'text').map((a) => a.name);
  return collection?.lindero.label ?? (texts.length === 1 && texts[0] ? texts[0] : 'nombre');
}

/** What a feature is called: its label, its natural key, its first text; failing all, nothing. */
export function featureTitle(collection: Collection | undefined, feature: Feature): string | null {
  const properties = feature.properties ?? {};
  const texts = (collection?.lindero.attributes ?? []).filter((a) => a.type === 'text').map((a) => a.name);
  for (const name of [collection?.lindero.label, collection?.lindero.naturalKey, 'nombre', ...texts]) {
    const value = name ? properties[name] : null;
    if (value !== null && value !== undefined && value !== '') return String(value);
  }
  return null;
}

/** The attributes of a feature's layer, in the catalogue's order; then what else the feature has. */
export function attributesOf(collection: Collection | undefined, feature: Feature): Attribute[] {
  const listed = collection?.lindero.attributes ?? [];
  const names = new Set(listed.map((attribute) => attribute.name));
  const others = Object.keys(feature.properties ?? {})
    .filter((name) => !names.has(name))
    .map((name): Attribute => ({ name, type: 'text', title: { es: name, en: name }, unit: null }));
  return [...listed, ...others];
}
