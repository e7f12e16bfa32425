import type { GeoJSONSource } from 'maplibre-gl';

import type { Collection, Feature, FeatureId } from '../api/types';
import { featureTitle } from '../catalogue/collections';
import { RequestFailure } from '../api/client';
import { getHistory, getTagged, refusal, revert, type Version } from '../editing/api';
import { drawing, painted, put } from '../editing/painting';
import { type EditingKey, editingText } from '../editing/texts';
import type { Theme } from '../map/style/palette';
import type { App } from '../state/app.svelte';
import { failed, loading, ready, type Remote } from '../state/remote';

const DRAWING = 'history';

/** The versions of a feature, two of which are compared. */
export class Versions {
  readonly app: App;
  readonly collection: Collection;
  readonly id: FeatureId;
  list = $state.raw<Remote<Version[]>>(loading);
  total = $state(0);
  /** The numbers of those that are compared. */
  older = $state<number | null>(null);
  newer = $state<number | null>(null);
  busy = $state(false);
  said = $state('');

  readonly known: Version[] = $derived(this.list.status === 'ready' ? this.list.value : []);
  readonly pair: { older: Version | undefined; newer: Version | undefined } = $derived({
    older: this.known.find(({ version }) => version === this.older),
    newer: this.known.find(({ version }) => version === this.newer),
  });

  constructor(app: App, collection: Collection, id: FeatureId) {
    this.app = app;
    this.collection = collection;
    this.id = id;
    void this.load();
  }

  t = (key: EditingKey, parameters?: Record<string, string | number>): string => editingText(this.app.settings.lang, key, parameters);

  get title(): string {
    const { lang, t } = this.app.settings;
    const feature = this.known.find((version) => version.feature)?.feature;
    return (
      (feature && featureTitle(this.collection, feature)) ??
      t('featureNamed', { layer: this.collection.lindero.title[lang] ?? this.collection.id, id: String(this.id) })
    );
  }

  async load(): Promise<void> {
    this.list = loading;
    await this.#ask(null, []);
    this.newer = this.known[0]?.version ?? null;
    this.older = this.known[1]?.version ?? null;
  }

  async more(): Promise<void> {
    await this.#ask(this.known.at(-1)?.version ?? null, this.known);
  }

  async #ask(before: number | null, known: Version[]): Promise<void> {
    try {
      const { numberMatched, versions } = await getHistory(this.collection.id, this.id, before);
      this.total = numberMatched;
      this.list = ready([...known, ...versions]);
    } catch (error) {
      this.list = failed(error);
    }
  }

  compare(version: number): void {
    this.newer = version;
    this.older = this.known.find((other) => other.version < version)?.version ?? null;
  }

  async revert(version: number, reason: string): Promise<void> {
    const { app } = this;
    this.busy = true;
    this.said = '';
    try {
      const gone = this.known[0]?.operation === 'delete';
      const etag = gone ? null : (await getTagged(this.collection.id, this.id)).etag;
      await revert(this.collection.id, this.id, version, reason.trim(), etag, app.settings.lang, app.session.csrf);
      const text = this.t('reverted', { number: version });
      app.say(text);
      app.announcement = text;
      await this.load();
    } catch (error) {
      const { violations } = refusal(error);
      const detail = violations.map((violation) => violation.detail).join(' ') || this.#text(error);
      this.said = `${this.t('revertRefused')} ${detail}`;
    } finally {
      this.busy = false;
    }
  }

  #text(error: unknown): string {
    const isForbidden = error instanceof RequestFailure && error.status === 403;
    return isForbidden ? this.t('notAllowed') : this.app.problemText(error);
  }

  /** Draws both versions on the map. */
  draw(theme: Theme): void {
    const { map } = this.app;
    if (!map) return;
    const { older, newer } = this.pair;
    const shape = (role: 'mine' | 'theirs', feature: Feature | null | undefined) => (feature?.geometry ? [painted(role, feature.geometry)] : []);
    const own = drawing(theme, DRAWING);
    const shapes = [...shape('mine', newer?.feature), ...shape('theirs', older?.feature)];
    put(own, DRAWING, { shapes, handles: [] }, (source, data) => map.shown.getSource<GeoJSONSource>(source)?.setData(data));
    map.lay(DRAWING, own);
  }

  end(): void {
    this.app.map?.lay(DRAWING, null);
    const gone = this.known[0]?.operation === 'delete';
    void this.app.endTask(this.collection.id, gone ? null : this.id);
  }
}
