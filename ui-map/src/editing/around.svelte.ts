import type { App } from '../state/app.svelte';
import type { Bounds, Feature, FeatureId } from '../api/types';
import { BASE_COLLECTIONS, FROM } from '../map/style/base';
import { Latest } from '../state/remote';
import { getAround } from './api';

/** From this zoom on neighbours attract: further out a pixel is metres, and a view thousands of features. */
export const SNAP_FROM = 14.5;
const MOST = 2000;
/** A map that is still moving is not asked about. */
const PAUSE_MS = 250;

interface Held {
  box: Bounds;
  features: Feature[];
}

const holds = (outer: Bounds, inner: Bounds): boolean =>
  outer[0] <= inner[0] && outer[1] <= inner[1] && outer[2] >= inner[2] && outer[3] >= inner[3];

/** Half as much again on each side: a small movement needs nothing new. */
function widened([west, south, east, north]: Bounds): Bounds {
  const [x, y] = [(east - west) / 4, (north - south) / 4];
  return [west - x, south - y, east + x, north + y];
}

/**
 * The features of the visible layers around, with their exact coordinates: those of tiles are rounded to the tile's
 * grid, and would leave gaps between neighbours.
 */
export class Around {
  readonly #app: App;
  readonly #edited: string;
  #held = new Map<string, Held>();
  #latest = new Latest();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** By layer. */
  features = $state.raw<ReadonlyMap<string, Feature[]>>(new Map());
  tooMany = $state(false);

  constructor(app: App, edited: string) {
    this.#app = app;
    this.#edited = edited;
  }

  /** The layers that are to be seen, that which is edited first. */
  #layers(zoom: number): string[] {
    const app = this.#app;
    const base = app.base ? BASE_COLLECTIONS.filter((id) => zoom >= FROM[id]) : [];
    const municipality = app.byId.get(this.#edited)?.lindero.municipality;
    const ids = [this.#edited, ...app.layers.map(({ id }) => id), ...base];
    return [...new Set(ids)].filter((id) => app.byId.get(id)?.lindero.municipality === municipality);
  }

  /** Looks around where the map is; what is known already is not asked for again. */
  look(bounds: Bounds | null, zoom: number): void {
    clearTimeout(this.#timer);
    if (!bounds || zoom < SNAP_FROM) return;
    this.#timer = setTimeout(() => void this.#fetch(bounds, this.#layers(zoom)), PAUSE_MS);
  }

  /** What is known of a layer may be so no more. */
  forget(ids: readonly string[] | null): void {
    if (ids === null) this.#held.clear();
    else for (const id of ids) this.#held.delete(id);
  }

  find(collection: string, id: FeatureId): Feature | undefined {
    return this.features.get(collection)?.find((feature) => feature.id === id);
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#latest.cancel();
  }

  async #fetch(bounds: Bounds, ids: string[]): Promise<void> {
    const signal = this.#latest.next();
    const box = widened(bounds);
    await Promise.all(
      ids.map(async (id) => {
        const held = this.#held.get(id);
        if (held && holds(held.box, bounds)) return;
        // Without its neighbours a layer does not attract; it can be edited all the same.
        const items = await getAround(id, box, MOST, signal).catch(() => null);
        if (!items || signal.aborted) return;
        this.#held.set(id, { box: items.features.length < MOST ? box : bounds, features: items.features });
      }),
    );
    if (signal.aborted) return;
    const shown = ids.flatMap((id) => {
      const held = this.#held.get(id);
      return held ? [[id, held.features] as const] : [];
    });
    this.tooMany = shown.some(([, features]) => features.length >= MOST);
    this.features = new Map(shown);
  }
}
