import { getFeature, getHere } from '../api/client';
import type { Feature, FeatureId, HereGroup, Lang } from '../api/types';
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

/**
 * First the layers that were switched on, which is what somebody who pointed at the map looks at. Among these, and
 * among the others, from the particular to the general: the predio before its barrio, the barrio before the
 * municipality.
 */
export function byRelevance(groups: HereGroup[], on: ReadonlySet<string>): HereGroup[] {
  return groups
    .map((group) => ({ group, off: Number(!on.has(group.id)), rank: Math.min(...group.features.map(extentRank)) }))
    .sort((a, b) => a.off - b.off || a.rank - b.rank)
    .map(({ group }) => group);
}

/** The feature that somebody most likely means: the most particular one of the first of those layers. */
export function likeliest(groups: HereGroup[]): Chosen | null {
  for (const { id: collection, features } of groups) {
    const [first] = features.filter(({ id }) => id !== undefined).sort((a, b) => extentRank(a) - extentRank(b));
    if (first) return { collection, id: String(first.id) };
  }
  return null;
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

  /** `on` are the layers that are switched on. */
  async at(lon: number, lat: number, tolerance: number, lang: Lang, on: ReadonlySet<string>): Promise<void> {
    this.chosen = null;
    await this.#ask(
      () => this.at(lon, lat, tolerance, lang, on),
      async (signal) => {
        const here = await getHere(lon, lat, tolerance, lang, signal);
        const groups = byRelevance(here.collections, on);
        this.chosen = likeliest(groups);
        return {
          point: [lon, lat],
          truncated: here.truncated,
          groups: groups.map(({ id, features }) => ({ collection: id, features })),
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
