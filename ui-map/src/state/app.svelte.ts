import { tick } from 'svelte';

import { ChangeStream, type CollectionChange } from '../api/changes';
import { getCatalogue, getLanding, RequestFailure } from '../api/client';
import type { Bounds, Collection, Feature, FeatureId, Landing, Municipality, SearchResult } from '../api/types';
import { homeBounds } from '../catalogue/collections';
import { boundsOfFeatures, boundsOfView, overlap, viewOf } from '../catalogue/geometry';
import type { Editor } from '../editing/editor.svelte';
import type { Versions } from '../history/versions.svelte';
import type { MapController, View } from '../map/controller';
import { Finding } from './finding.svelte';
import { formatPermalink, type LayerSetting, type Permalink } from './permalink';
import { failed, loading, ready, type Remote } from './remote';
import { Session } from './session.svelte';
import { Settings } from './settings.svelte';

/** While something is done with a feature, `task` stands in the place of `here`. */
export type Tab = 'layers' | 'here' | 'task' | 'list';

/** Parts of the application that come when somebody first wants them, with what they are about. */
export interface Editing {
  parts: typeof import('../editing');
  editor: Editor;
}
export interface Looking {
  parts: typeof import('../history');
  versions: Versions;
}
/** On a phone the panel is a sheet that shows its tabs only, half of it or all; elsewhere it is open or not. */
export type PanelSize = 'closed' | 'half' | 'full';
export type MapStatus = 'loading' | 'drawn' | 'failed' | 'impossible';

export interface City {
  landing: Landing;
  collections: Collection[];
}

/** How close the map goes to show one feature. */
const FEATURE_ZOOM = 17;
/** A coordinate that somebody typed is as near as this to what it is of, in metres. */
const POINT_TOLERANCE = 10;
/** A position that is less exact than this, in metres, is taken to be as exact. */
const MOST_TOLERANCE = 50;
const NOTICE_MS = 6000;
/** The catalogue is not read oftener than this, however much of it changes. */
const CATALOGUE_PAUSE_MS = 1000;
/** From here on the base map has streets. */
const HOME_ZOOM = 11.1;

/** Where there is room for a panel beside the map; the style sheet breaks at the same width. */
const WIDE = '(min-width: 760px)';

/** The state of the application: what the components show, and the only place that they change it. */
export class App {
  readonly settings: Settings;
  readonly finding = new Finding();
  readonly session: Session;

  city = $state.raw<Remote<City>>(loading);
  municipalityCode = $state<string | null>(null);
  layers = $state.raw<LayerSetting[]>([]);
  base = $state(true);
  view = $state.raw<View | null>(null);
  bounds = $state.raw<Bounds | null>(null);
  tab = $state<Tab>('layers');
  panel = $state<PanelSize>('closed');
  mapStatus = $state<MapStatus>('loading');
  tilesFailed = $state(false);
  wide = $state(true);
  /** Which of the administration's pages is open, as its address says behind `#admin/`; null: the map. */
  admin = $state<string | null>(null);
  /** The fragment that the map wrote last: another one was given to it. */
  written = '';
  /** What the live region says, for those who do not see it on the page. */
  announcement = $state('');
  /** What is said for some seconds, to everybody. */
  notice = $state('');
  #noticeEnd: ReturnType<typeof setTimeout> | undefined;

  /** How often features changed of each collection that lie in the view: who lists them lists them anew. */
  versions = $state.raw<ReadonlyMap<string, number>>(new Map());
  #stream: ChangeStream | null = null;
  #catalogueSoon: ReturnType<typeof setTimeout> | undefined;

  map = $state.raw<MapController | null>(null);

  editing = $state.raw<Editing | null>(null);
  looking = $state.raw<Looking | null>(null);
  /** Features that are drawn otherwise than by the tiles, by layer. */
  hidden = $state.raw<ReadonlyMap<string, readonly number[]>>(new Map());
  /** The moment of the past that is looked at (RFC 3339), in layers that keep their history. */
  moment = $state<string | null>(null);
  readonly #watchers = new Set<(changes: CollectionChange[] | null) => void>();

  readonly collections: Collection[] = $derived(this.city.status === 'ready' ? this.city.value.collections : []);
  readonly byId: Map<string, Collection> = $derived(new Map(this.collections.map((c) => [c.id, c])));
  readonly municipality: Municipality | undefined = $derived.by(() => {
    if (this.city.status !== 'ready') return undefined;
    const { municipalities } = this.city.value.landing.lindero;
    return municipalities.find((m) => m.code === this.municipalityCode) ?? municipalities[0];
  });

  /** `invitation`: the secret of a one-time link by which the page was opened. */
  constructor(link: Permalink, invitation: string | null = null) {
    this.settings = new Settings(link.lang, link.theme);
    this.session = new Session(invitation, () => this.#seenAnew());
    this.layers = link.layers;
    this.base = link.base;
    this.municipalityCode = link.municipality;
    this.moment = link.moment;
    if (link.view) this.setView(link.view);
    const wide = matchMedia(WIDE);
    this.wide = wide.matches;
    wide.addEventListener('change', (event) => (this.wide = event.matches));
    this.panel = this.wide || link.selected ? 'half' : 'closed';
    if (link.selected) {
      this.tab = 'here';
      void this.finding.byId(link.selected.collection, link.selected.id, link.moment);
    }
  }

  get permalink(): string {
    const { chosen } = this.finding;
    return formatPermalink({
      view: this.view,
      // Of a server with one municipality it need not be said.
      municipality: this.municipalityCode,
      layers: this.layers,
      base: this.base,
      selected: chosen,
      lang: this.settings.langChosen ? this.settings.lang : null,
      theme: this.settings.themeChoice === 'auto' ? null : this.settings.themeChoice,
      moment: this.moment,
    });
  }

  /** Shows what another address says, as after a link was pasted or edited. */
  follow(link: Permalink): void {
    this.layers = this.#known(link.layers);
    this.base = link.base;
    this.lookAt(link.moment);
    if (link.municipality) this.municipalityCode = link.municipality;
    if (link.lang) this.settings.chooseLang(link.lang);
    if (link.theme) this.settings.themeChoice = link.theme;
    if (link.view) this.setView(link.view);
    if (!link.selected) this.finding.clear();
    else {
      this.openTab('here');
      void this.finding.byId(link.selected.collection, link.selected.id, this.moment);
    }
  }

  async load(): Promise<void> {
    this.city = loading;
    try {
      const [landing, catalogue] = await Promise.all([getLanding(), getCatalogue()]);
      this.city = ready({ landing, collections: catalogue.collections });
      this.layers = this.#known(this.layers);
      if (!this.view) this.#goHome();
    } catch (error) {
      this.city = failed(error);
    }
  }

  /** Shows what changes on the server from now on. For once the page shows something. */
  listen(): void {
    if (this.#stream || this.city.status !== 'ready') return;
    this.#stream = new ChangeStream(this.city.value.landing.lindero.changes ?? null, {
      changed: (changes) => this.#changed(changes),
      everything: () => this.#everythingChanged(),
    });
  }

  /** Somebody came in or left: other layers are seen, and more or less of each. */
  #seenAnew(): void {
    this.#stream?.close();
    this.#stream = null;
    this.listen();
    this.#everythingChanged();
  }

  /** Tells `watcher` what changes, null where it may be anything, once the map asks for it. Returns what ends it. */
  watch(watcher: (changes: CollectionChange[] | null) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  #changed(changes: CollectionChange[]): void {
    this.map?.refresh(changes);
    for (const tell of this.#watchers) tell(changes);
    const { bounds } = this;
    this.#outdateLists(
      changes.filter(({ features }) => bounds && features.some((box) => overlap(box, bounds))).map(({ id }) => id),
    );
    if (!this.editing && this.finding.isTouchedBy(changes)) void this.#refreshFound();
    if (changes.some(({ described }) => described)) this.#readCatalogueSoon();
  }

  #everythingChanged(): void {
    this.tilesFailed = false;
    this.map?.refreshAll();
    for (const tell of this.#watchers) tell(null);
    this.#outdateLists(this.collections.map(({ id }) => id));
    if (!this.editing) void this.#refreshFound();
    this.#readCatalogueSoon();
  }

  #outdateLists(ids: string[]): void {
    if (ids.length === 0) return;
    const versions = new Map(this.versions);
    for (const id of ids) versions.set(id, (versions.get(id) ?? 0) + 1);
    this.versions = versions;
  }

  async #refreshFound(): Promise<void> {
    if (await this.finding.refresh()) this.announcement = this.settings.t('hereChanged');
  }

  #readCatalogueSoon(): void {
    this.#catalogueSoon ??= setTimeout(async () => {
      this.#catalogueSoon = undefined;
      const catalogue = await getCatalogue().catch(() => null);
      // What is shown is better than nothing.
      if (!catalogue || this.city.status !== 'ready') return;
      this.city = ready({ landing: this.city.value.landing, collections: catalogue.collections });
      this.layers = this.#known(this.layers);
    }, CATALOGUE_PAUSE_MS);
  }

  /** Links may name layers that are gone; before the catalogue is there nobody knows which. */
  #known(layers: LayerSetting[]): LayerSetting[] {
    return this.city.status === 'ready' ? layers.filter(({ id }) => this.byId.has(id)) : layers;
  }

  /** The window's size without what the panel covers, in CSS pixels. */
  #window(): { width: number; height: number } {
    return {
      width: innerWidth - (this.wide && this.panel !== 'closed' ? PANEL_WIDTH : 0),
      height: innerHeight - (this.wide ? 0 : 140),
    };
  }

  #goHome(): void {
    const bounds = homeBounds(this.collections, this.municipality);
    const { width, height } = this.#window();
    if (!bounds) {
      this.setView({ lon: -74, lat: 4.5, zoom: 5 });
      return;
    }
    const view = viewOf(bounds, width * 0.94, height * 0.94, 16);
    // A long city on a narrow screen: rather most of it with its streets than all of it without.
    this.setView({ ...view, zoom: Math.max(view.zoom, Math.min(view.zoom + 0.6, HOME_ZOOM)) });
  }

  /** Moves there, with or without a map. */
  setView(view: View): void {
    this.view = view;
    if (this.map) this.map.goTo(view);
    else this.bounds = boundsOfView(view.lon, view.lat, view.zoom, innerWidth, innerHeight);
  }

  showBounds(bounds: Bounds, maxZoom = FEATURE_ZOOM): void {
    const { width, height } = this.#window();
    if (this.map) this.map.show(bounds, maxZoom);
    else this.setView(viewOf(bounds, width, height, maxZoom));
  }

  showCity(): void {
    const bounds = homeBounds(this.collections, this.municipality);
    if (bounds) this.showBounds(bounds, 16);
  }

  showFeature(): void {
    const bounds = this.finding.feature && boundsOfFeatures([this.finding.feature]);
    if (bounds) this.showBounds(bounds);
  }

  setMunicipality(code: string): void {
    this.municipalityCode = code;
    this.showCity();
  }

  isOn(id: string): boolean {
    return this.layers.some((setting) => setting.id === id);
  }

  switchLayer(id: string): void {
    this.layers = this.isOn(id) ? this.layers.filter((s) => s.id !== id) : [...this.layers, { id, opacity: 1 }];
  }

  switchAllOff(): void {
    this.layers = [];
  }

  setOpacity(id: string, opacity: number): void {
    this.layers = this.layers.map((setting) => (setting.id === id ? { id, opacity } : setting));
  }

  /** Edits a feature, or adds one to the layer. */
  async edit(collection: Collection, feature: Feature | null): Promise<void> {
    if (this.busy || this.moment) return;
    const parts = await import('../editing').catch(() => null);
    if (!parts) this.say(this.settings.t('failedPart'));
    if (!parts || this.busy) return;
    if (!this.isOn(collection.id)) this.switchLayer(collection.id);
    this.editing = { parts, editor: new parts.Editor(this, collection, feature) };
    this.openTab('task');
  }

  /** Looks at the versions of a feature. */
  async lookAtHistory(collection: Collection, id: FeatureId): Promise<void> {
    if (this.busy) return;
    const parts = await import('../history').catch(() => null);
    if (!parts) this.say(this.settings.t('failedPart'));
    if (!parts || this.busy) return;
    this.looking = { parts, versions: new parts.Versions(this, collection, id) };
    this.openTab('task');
  }

  /** Ends what was done with a feature, and shows it again. */
  async endTask(collection: string, id: FeatureId | null): Promise<void> {
    this.editing = null;
    this.looking = null;
    if (this.tab === 'task') this.tab = 'here';
    // What was found before may be gone, or another.
    if (id === null) this.finding.clear();
    else await this.finding.byId(collection, id, this.momentOf(collection));
  }

  /** Whether something is being done with a feature. */
  get busy(): boolean {
    return this.editing !== null || this.looking !== null;
  }

  /** Looks at another moment, or at what is. What is being edited is edited as it is. */
  lookAt(moment: string | null): void {
    if (moment === this.moment || this.editing) return;
    this.moment = moment;
    this.finding.clear();
    this.#outdateLists(this.collections.map(({ id }) => id));
  }

  /** The moment that is looked at in a layer; none where it has no history. */
  momentOf(collection: string): string | null {
    return this.byId.get(collection)?.lindero.history ? this.moment : null;
  }

  openTab(wanted: Tab): void {
    const tab = wanted === 'here' && this.busy ? 'task' : wanted;
    this.tab = tab;
    if (this.panel === 'closed') this.panel = 'half';
  }

  async ask(lon: number, lat: number, tolerance: number): Promise<void> {
    this.openTab('here');
    const on = new Set(this.layers.map(({ id }) => id));
    await this.finding.at(lon, lat, tolerance, this.settings.lang, on, this.#past());
    this.#announceFound();
  }

  /** What is at a point is told of the present only: of the past, the layers that are shown and keep it. */
  #past(): { moment: string; layers: string[] } | null {
    const layers = this.layers.map(({ id }) => id).filter((id) => this.momentOf(id));
    return this.moment ? { moment: this.moment, layers: layers.reverse() } : null;
  }

  /** Shows where the person is, and asks what is there; `accuracy` in metres. */
  async askAround(lon: number, lat: number, accuracy: number): Promise<void> {
    this.openTab('here');
    await tick();
    this.setView({ lon, lat, zoom: 16.5 });
    await this.ask(lon, lat, Math.min(accuracy, MOST_TOLERANCE));
  }

  async openFeature(collection: string, id: string | number): Promise<void> {
    this.openTab('here');
    const editor = this.editing?.editor;
    if (editor?.collection.id === collection) await editor.take(id);
    await this.finding.byId(collection, id, this.momentOf(collection));
    this.showFeature();
    this.#announceFound();
  }

  async openResult(result: SearchResult): Promise<void> {
    if (result.kind === 'feature' && result.collection && result.id !== undefined) {
      await this.openFeature(result.collection, result.id);
      return;
    }
    const [lon, lat] = result.bbox;
    // The panel first: the map moves to what it leaves free.
    this.openTab('here');
    await tick();
    this.showBounds(result.bbox);
    await this.ask(lon, lat, POINT_TOLERANCE);
  }

  /** Says something for some seconds. */
  say(text: string): void {
    clearTimeout(this.#noticeEnd);
    this.notice = text;
    this.#noticeEnd = setTimeout(() => (this.notice = ''), NOTICE_MS);
  }

  /** How many features were found, in how many layers. */
  foundText(count: number, layers: number): string {
    const { t } = this.settings;
    if (count === 0) return t('hereEmpty');
    return t('hereFound', { features: t('featureCount', { count }), layers: t('layerCount', { count: layers }) });
  }

  #announceFound(): void {
    const { found } = this.finding;
    if (found.status === 'failed') this.announcement = this.problemText(found.error);
    if (found.status !== 'ready') return;
    const count = found.value.groups.reduce((sum, group) => sum + group.features.length, 0);
    this.announcement = this.foundText(count, found.value.groups.length);
  }

  /** What to tell somebody about a failure: the server's own words (English) only where ours would say less. */
  problemText(error: unknown): string {
    const { t } = this.settings;
    if (!(error instanceof RequestFailure)) return t('serverError');
    if (error.kind === 'unreachable') return t('unreachable');
    if (error.status === 404) return t('featureGone');
    return (error.kind === 'refused' && error.detail) || t('serverError');
  }
}

export const PANEL_WIDTH = 384;
/** How much of a phone's window the half-open sheet covers; the style sheet says the same. */
export const SHEET_PART = 0.46;

