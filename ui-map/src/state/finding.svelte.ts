import type { CollectionChange } from '../api/changes';
import { getFeature, getHere, getItems, RequestFailure } from '../api/client';
import type { Bounds, Feature, FeatureId, HereGroup, Lang } from '../api/types';
import { boundsOfFeatures, METRES_A_DEGREE, overlap } from '../catalogue/geometry';
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

/** As many of a layer as what is here tells, too. */
const MOST_THEN = 20;

/** What was in a box at a moment. */
async function getThen(past: { moment: string; layers: string[] }, around: Bounds, signal: AbortSignal): Promise<{ collections: HereGroup[]; truncated: boolean }> {
  const groups = await Promise.all(
    past.layers.map(async (id) => {
      const { features } = await getItems(id, around, MOST_THEN + 1, signal, past.moment);
      return { id, title: id, sector: '', numberReturned: features.length, features };
    }),
  );
  const truncated = groups.some(({ features }) => features.length > MOST_THEN);
  return { collections: groups.filter(({ features }) => features.length > 0), truncated };
}

/** The answer to a question, and what somebody most likely means by it. */
type Question = (signal: AbortSignal) => Promise<{ found: Found; likeliest: Chosen | null }>;

/** What the person asked about, and what of it is chosen. */
export class Finding {
  found = $state.raw<Remote<Found>>(idle);
  chosen = $state.raw<Chosen | null>(null);
  #latest = new Latest();
  #question: Question | null = null;
  /** The point's surroundings, in which what appears belongs to the answer. */
  #around: Bounds | null = null;

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

  /** `on` are the layers that are switched on; `past` a moment, and the layers that are looked at as they were then. */
  async at(
    lon: number,
    lat: number,
    tolerance: number,
    lang: Lang,
    on: ReadonlySet<string>,
    past: { moment: string; layers: string[] } | null = null,
  ): Promise<void> {
    this.chosen = null;
    const margin = (tolerance + 1) / METRES_A_DEGREE;
    const around: Bounds = [lon - margin, lat - margin, lon + margin, lat + margin];
    this.#around = around;
    await this.#ask(async (signal) => {
      const here = past ? await getThen(past, around, signal) : await getHere(lon, lat, tolerance, lang, signal);
      const groups = byRelevance(here.collections, on);
      const found = groups.map(({ id, features }) => ({ collection: id, features }));
      return {
        found: { point: [lon, lat], truncated: here.truncated, groups: found },
        likeliest: likeliest(groups),
      };
    });
  }

  async byId(collection: string, id: FeatureId, moment: string | null = null): Promise<void> {
    this.chosen = { collection, id: String(id) };
    this.#around = null;
    await this.#ask(async (signal) => {
      const feature = await getFeature(collection, id, signal, moment);
      return {
        found: { point: null, truncated: false, groups: [{ collection, features: [feature] }] },
        likeliest: { collection, id: String(feature.id ?? id) },
      };
    });
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
    if (this.#question) void this.#ask(this.#question);
  }

  /** Whether one of the changes may have changed what was found. */
  isTouchedBy(changes: CollectionChange[]): boolean {
    if (this.found.status === 'loading') return true;
    if (this.found.status !== 'ready') return false;
    const { groups } = this.found.value;
    return changes.some(({ id, features: boxes }) => {
      const found = groups.filter(({ collection }) => collection === id).flatMap(({ features }) => features);
      const places = [this.#around, ...found.map((feature) => boundsOfFeatures([feature]))];
      return places.some((place) => place && boxes.some((box) => overlap(place, box)));
    });
  }

  /** Asks again; what is shown stays until the answer is there. Whether the answer is another one. */
  async refresh(): Promise<boolean> {
    const before = this.found;
    if (!this.#question || before.status === 'idle' || before.status === 'failed') return false;
    if (before.status === 'loading') {
      this.retry();
      return false;
    }
    const signal = this.#latest.next();
    try {
      const { found } = await this.#question(signal);
      if (signal.aborted || JSON.stringify(found) === JSON.stringify(before.value)) return false;
      this.found = ready(found);
      if (!this.feature) this.chosen = null;
      return true;
    } catch (error) {
      // A server that does not answer at the moment says nothing of what is shown.
      if (signal.aborted || !(error instanceof RequestFailure) || error.status !== 404) return false;
      this.found = failed(error);
      return true;
    }
  }

  async #ask(question: Question): Promise<void> {
    this.#question = question;
    const signal = this.#latest.next();
    this.found = loading;
    try {
      const { found, likeliest } = await question(signal);
      if (signal.aborted) return;
      this.chosen = likeliest;
      this.found = ready(found);
    } catch (error) {
      if (!signal.aborted) this.found = failed(error);
    }
  }
}
