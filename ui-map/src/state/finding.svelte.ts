import { getFeature, getHere } from '../api/client';
import type { Feature, FeatureId, Here, HereGroup, Lang } from '../api/types';
import { boundsOfFeatures } from '../catalogue/geometry';
import { failed, idle, Latest, loading, ready, type Remote } from './remote';

/** Features that were found, by layer: at a point, or one by its address. */
export interface Found {
  point: [lon: number, lat: number] | null;
  truncated: boolean;
  groups: { collection: string; features: Feature[] }[];
}

export interface Chosen {
  collection: string;
  id: string;
}

const isChosen = (chosen: Chosen | null, collection: string, feature: Feature): boolean =>
  chosen?.collection === collection && chosen.id === String(feature.id);

/** Smaller is more specific: marks before lines before areas, small areas before large ones. */
function extentRank(feature: Feature): number {
  const type = feature.geometry?.type ?? '';
  if (type.includes('Point')) return 0;
  if (type.includes('Line')) return 1;
  const bounds = boundsOfFeatures([feature]);
  return bounds ? 2 + (bounds[2] - bounds[0]) * (bounds[3] - bounds[1]) : Infinity;
}

/** The feature that somebody who pointed at a place most likely means. */
export function likeliest(here: Here): Chosen | null {
  let best: { chosen: Chosen; rank: number } | null = null;
  for (const group of here.collections) {
    for (const feature of group.features) {
      if (feature.id === undefined) continue;
      const rank = extentRank(feature);
      if (!best || rank < best.rank) best = { chosen: { collection: group.id, id: String(feature.id) }, rank };
    }
  }
  return best?.chosen ?? null;
}

/** From the particular to the general: the predio before its barrio, the barrio before the municipality. */
export function bySize(groups: HereGroup[]): HereGroup[] {
  const rank = ({ features }: HereGroup) => Math.min(...features.map(extentRank));
  return groups
    .map((group) => ({ group, rank: rank(group) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ group }) => group);
}

/** What the person asked about, and what of it is chosen. */
export class Finding {
  found = $state.raw<Remote<Found>>(idle);
  chosen = $state.raw<Chosen | null>(null);
  #latest = new Latest();
  #again: () => void = () => {};

  readonly feature: Feature | null = $derived.by(() => {
    if (this.found.status !== 'ready') return null;
    for (const { collection, features } of this.found.value.groups) {
      const feature = features.find((f) => isChosen(this.chosen, collection, f));
      if (feature) return feature;
    }
    return null;
  });

  readonly point: [number, number] | null = $derived(this.found.status === 'ready' ? this.found.value.point : null);

  isChosen(collection: string, feature: Feature): boolean {
    return isChosen(this.chosen, collection, feature);
  }

  async at(lon: number, lat: number, tolerance: number, lang: Lang): Promise<void> {
    this.chosen = null;
    await this.#ask(
      () => this.at(lon, lat, tolerance, lang),
      async (signal) => {
        const here = await getHere(lon, lat, tolerance, lang, signal);
        this.chosen = likeliest(here);
        return {
          point: [lon, lat],
          truncated: here.truncated,
          groups: bySize(here.collections).map(({ id, features }) => ({ collection: id, features })),
        };
      },
    );
  }

  async byId(collection: string, id: FeatureId): Promise<void> {
    this.chosen = { collection, id: String(id) };
    await this.#ask(
      () => this.byId(collection, id),
      async (signal) => {
        const feature = await getFeature(collection, id, signal);
        this.chosen = { collection, id: String(feature.id ?? id) };
        return { point: null, truncated: false, groups: [{ collection, features: [feature] }] };
      },
    );
  }

  choose(collection: string, feature: Feature | null): void {
    this.chosen = feature ? { collection, id: String(feature.id) } : null;
  }

  clear(): void {
    this.#latest.cancel();
    this.chosen = null;
    this.found = idle;
  }

  retry(): void {
    this.#again();
  }

  async #ask(again: () => void, question: (signal: AbortSignal) => Promise<Found>): Promise<void> {
    this.#again = again;
    const signal = this.#latest.next();
    this.found = loading;
    try {
      const found = await question(signal);
      if (!signal.aborted) this.found = ready(found);
    } catch (error) {
      if (!signal.aborted) this.found = failed(error);
    }
  }
}
