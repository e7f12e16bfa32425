import type { Collection, Feature, FeatureId } from '../api/types';
import { featureTitle } from '../catalogue/collections';
import type { App } from '../state/app.svelte';
import { getSchema, getTagged, type Schema } from './api';
import { Around } from './around.svelte';
import { changedPieces, type Draft, emptyDraft, keyOf, made, opened, type Piece, put } from './draft';
import { type Editable, fitted, isEditable, type Position, rounded, type Shape, shapeOf, type VertexAt } from './geometry/parts';
import { drawn, removeVertex } from './geometry/reshape';
import { Surroundings } from './geometry/snap';
import { merge, split } from './geometry/topology';
import { Saving } from './saving.svelte';
import { type EditingKey, editingText } from './texts';
import { begun, done, redone, type Timeline, undone } from './timeline';
import { toolOf, type ToolName } from './tools';
import type { Place, Pointer, Tool } from './tools/tool';

/** What undo goes back to. */
interface State {
  draft: Draft;
  selected: string | null;
}

/** Finds what is drawn at a place: a piece of the draft, or a feature of the layer. */
export interface Picker {
  pieceAt: (place: Place) => string | null;
  featureAt: (place: Place) => Promise<FeatureId | null>;
}

const DRAWN = { point: 'Point', line: 'LineString', area: 'Polygon' } as const;
const DRAWING: Record<Shape, ToolName> = { point: 'drawPoint', line: 'drawLine', area: 'drawArea' };

/** What is being edited of one layer, and what may be done with it. The map and the panel show it. */
export class Editor {
  readonly app: App;
  readonly collection: Collection;
  readonly around: Around;
  readonly saving: Saving;
  picker: Picker | null = null;
  schema = $state.raw<Schema | null>(null);

  #timeline = $state.raw<Timeline<State>>(begun({ draft: emptyDraft, selected: null }));
  #toolName = $state<ToolName>('edit');
  /** Remembers what it holds: it is made anew when it is chosen only. */
  #tool: Tool = toolOf(this, 'edit');
  snapping = $state(true);
  /** What is drawn at the moment, vertex by vertex. */
  sketch = $state.raw<readonly Position[]>([]);
  /** Where the next vertex would come. */
  pointer = $state.raw<Pointer | null>(null);
  /** The chosen feature's geometry while it is dragged. */
  held = $state.raw<Editable | null>(null);
  /** The vertex that is taken. */
  grabbed = $state.raw<VertexAt | null>(null);
  /** What is to be merged, the first of which remains. */
  picked = $state.raw<readonly string[]>([]);
  /** Whether it is asked if what is not saved may go. */
  leaving = $state(false);
  #made = 0;

  readonly draft: Draft = $derived(this.#timeline.present.draft);
  readonly selected: Piece | null = $derived(this.draft.get(this.#timeline.present.selected ?? '') ?? null);
  readonly changed: Piece[] = $derived(changedPieces(this.draft));
  readonly canUndo: boolean = $derived(this.sketch.length > 0 || this.#timeline.past.length > 0);
  readonly canRedo: boolean = $derived(this.#timeline.future.length > 0);
  /** What the layer holds: every shape where its type says nothing. */
  readonly shapes: Shape[];

  constructor(app: App, collection: Collection, feature: Feature | null) {
    this.app = app;
    this.collection = collection;
    this.around = new Around(app, collection.id);
    this.saving = new Saving(this);
    const type = collection.lindero.geometryType;
    this.shapes = /Point|LineString|Polygon/.test(type) ? [shapeOf(type)] : ['point', 'line', 'area'];
    if (feature?.id !== undefined) void this.take(feature.id);
    else this.#choose(DRAWING[this.shapes[0]!]);
    void getSchema(collection.id).then((schema) => (this.schema = schema), () => null);
  }

  get tool(): Tool {
    return this.#tool;
  }

  get toolName(): ToolName {
    return this.#toolName;
  }

  t = (key: EditingKey, parameters?: Record<string, string | number>): string => editingText(this.app.settings.lang, key, parameters);

  announce(key: EditingKey, parameters?: Record<string, string | number>): void {
    const text = this.t(key, parameters);
    // The same words once more are read out only where they are not quite the same.
    this.app.announcement = this.app.announcement === text ? `${text}\u00a0` : text;
  }

  titleOf(piece: Piece): string {
    const { lang, t } = this.app.settings;
    if (!piece.origin) return this.t('selectedNew');
    const { id, properties } = piece.origin;
    const named = featureTitle(this.collection, { type: 'Feature', id, geometry: null, properties });
    return named ?? t('featureNamed', { layer: this.collection.lindero.title[lang] ?? this.collection.id, id: String(id) });
  }

  use(tool: ToolName): void {
    this.#rest();
    this.picked = tool === 'merge' && this.selected ? [this.selected.key] : [];
    this.#choose(tool);
  }

  #choose(tool: ToolName): void {
    this.#toolName = tool;
    this.#tool = toolOf(this, tool);
  }

  /** Nothing is held or half drawn any more. */
  #rest(): void {
    this.sketch = [];
    this.pointer = null;
    this.held = null;
    this.grabbed = null;
    this.picked = [];
  }

  #do(deed: string, draft: Draft, selected: string | null, goesOn = false): void {
    this.#timeline = done(this.#timeline, deed, { draft, selected }, goesOn);
    this.saving.forget();
  }

  /** Begins anew from a draft, as after it was saved: what was before cannot be undone. */
  begin(draft: Draft, selected: string | null): void {
    this.#rest();
    this.#choose('edit');
    this.#timeline = begun({ draft, selected: selected !== null && draft.has(selected) ? selected : null });
  }

  undo(): void {
    if (this.#tool.removeLast?.()) return;
    const before = undone(this.#timeline);
    if (!before) return;
    this.#timeline = before;
    this.#rest();
    this.announce('didUndo');
  }

  redo(): void {
    const after = redone(this.#timeline);
    if (!after) return;
    this.#timeline = after;
    this.#rest();
    this.announce('didRedo');
  }

  /** Takes up a feature as the server has it now. That alone is nothing to undo. */
  async take(id: FeatureId): Promise<string | null> {
    const key = keyOf(id);
    if (!this.draft.has(key)) {
      const found = await getTagged(this.collection.id, id).catch(() => null);
      if (!found) {
        this.app.say(this.t('cannotTake'));
        return null;
      }
      // Another request for it may have been quicker.
      if (!this.draft.has(key)) this.#addQuietly(opened({ ...found.feature, id }, found.etag));
    }
    if (this.toolName !== 'merge') this.select(key);
    return key;
  }

  /** Into every state that undo and redo lead to. */
  #addQuietly(piece: Piece): void {
    const add = (state: State): State => ({ ...state, draft: put(state.draft, piece) });
    const { past, present, future } = this.#timeline;
    this.#timeline = {
      past: past.map((moment) => ({ ...moment, state: add(moment.state) })),
      present: add(present),
      future: future.map((moment) => ({ ...moment, state: add(moment.state) })),
    };
  }

  select(key: string | null): void {
    this.grabbed = null;
    this.#timeline = { ...this.#timeline, present: { draft: this.draft, selected: key } };
    if (this.selected) this.announce('didSelect', { feature: this.titleOf(this.selected) });
  }

  async pickAt(place: Place): Promise<void> {
    this.grabbed = null;
    const drawn = this.picker?.pieceAt(place) ?? null;
    const id = drawn === null ? ((await this.picker?.featureAt(place)) ?? null) : null;
    const key = drawn ?? (id === null ? null : await this.take(id));
    if (this.toolName === 'merge') {
      if (key === null) return;
      this.picked = this.picked.includes(key) ? this.picked.filter((other) => other !== key) : [...this.picked, key];
      this.announce('didPick', { count: this.picked.length });
    } else if (drawn !== null) this.select(drawn);
    else if (key === null) this.announce('nothingHere');
  }

  isAtSelected(place: Place): boolean {
    return this.selected !== null && this.picker?.pieceAt(place) === this.selected.key;
  }

  #surroundings(withSelected: boolean): Surroundings {
    const own = withSelected ? null : this.selected?.key;
    const others = [...this.around.features].flatMap(([id, features]) =>
      id === this.collection.id ? features.filter((f) => f.id === undefined || !this.draft.has(keyOf(f.id))) : features,
    );
    const pieces = [...this.draft.values()].filter(({ key, deleted }) => key !== own && !deleted);
    return new Surroundings([...others, ...pieces].map(({ geometry }) => geometry));
  }
  readonly #allAround: Surroundings = $derived(this.#surroundings(true));
  readonly #othersAround: Surroundings = $derived(this.#surroundings(false));

  /** Where a vertex comes that is put there: at what attracts it, else where it is. */
  snapped(place: Place, isOwn: boolean): Pointer {
    const around = isOwn ? this.#othersAround : this.#allAround;
    const snap = this.snapping && !place.free ? around.nearest(place.at, place.scale, place.reach) : null;
    this.pointer = { position: snap?.position ?? rounded(place.at), snap };
    return this.pointer;
  }

  /** Gives the chosen feature another geometry. */
  reshape(geometry: Editable, deed: EditingKey): void {
    if (!this.selected) return;
    this.#do(deed, put(this.draft, { ...this.selected, geometry }), this.selected.key);
    this.announce(deed);
  }

  removeVertex(at: VertexAt | null = this.grabbed): void {
    const geometry = this.selected?.geometry;
    if (!at || !isEditable(geometry)) return;
    const left = removeVertex(geometry, at);
    if (left) this.reshape(left, 'didRemoveVertex');
    else this.announce('cannotRemoveVertex');
    this.grabbed = null;
  }

  setProperty(name: string, value: unknown): void {
    if (!this.selected) return;
    const properties = { ...this.selected.properties, [name]: value };
    this.#do(`${this.selected.key} ${name}`, put(this.draft, { ...this.selected, properties }), this.selected.key, true);
  }

  remove(): void {
    if (!this.selected) return;
    this.#do('remove', put(this.draft, { ...this.selected, deleted: true }), null);
    this.#rest();
    this.announce('didDelete');
  }

  newKey(): string {
    this.#made += 1;
    return `+${this.#made}`;
  }

  #fitted = (geometry: Editable): Editable => fitted(geometry, this.collection.lindero.geometryType);

  finishSketch(): void {
    if (this.toolName === 'split') this.#split();
    else this.#draw();
  }

  #draw(): void {
    const shape = (Object.keys(DRAWING) as Shape[]).find((name) => DRAWING[name] === this.toolName);
    const geometry = shape ? drawn(DRAWN[shape], this.sketch) : null;
    if (!geometry) {
      this.app.say(this.t('cannotDraw'));
      return;
    }
    const piece = made(this.newKey(), this.#fitted(geometry), {});
    this.#do('draw', put(this.draft, piece), piece.key);
    this.use('edit');
    this.announce('didDraw');
  }

  #split(): void {
    const { selected } = this;
    const pieces = isEditable(selected?.geometry) ? split(selected.geometry, this.sketch) : null;
    this.sketch = [];
    if (!selected || !pieces) {
      this.app.say(this.t('cannotSplit'));
      return;
    }
    const [first, ...others] = pieces;
    // What tells features apart cannot be the same in each.
    const { naturalKey } = this.collection.lindero;
    const properties = { ...selected.properties, ...(naturalKey ? { [naturalKey]: null } : {}) };
    const added = others.map((geometry) => made(this.newKey(), this.#fitted(geometry), properties));
    this.#do('split', put(this.draft, { ...selected, geometry: this.#fitted(first!) }, ...added), selected.key);
    this.use('edit');
    this.announce('didSplit', { count: pieces.length });
  }

  merge(): void {
    const pieces = this.picked.flatMap((key) => this.draft.get(key) ?? []).filter(({ deleted }) => !deleted);
    const [first, ...others] = pieces;
    const geometries = pieces.flatMap(({ geometry }) => (isEditable(geometry) ? [geometry] : []));
    const geometry = first && others.length > 0 && geometries.length === pieces.length ? merge(geometries) : null;
    if (!first || !geometry) {
      this.app.say(this.t('cannotMerge'));
      return;
    }
    const gone = others.map((piece) => ({ ...piece, deleted: true }));
    this.#do('merge', put(this.draft, { ...first, geometry: this.#fitted(geometry) }, ...gone), first.key);
    this.use('edit');
    this.announce('didMerge', { count: pieces.length });
  }

  /** Ends, or asks first where something would be lost. */
  leave(): void {
    if (this.changed.length === 0 && this.sketch.length === 0) {
      this.end();
      return;
    }
    this.leaving = true;
    this.app.openTab('task');
  }

  end(): void {
    const { selected } = this;
    this.around.end();
    this.saving.end();
    void this.app.endTask(this.collection.id, selected?.origin?.id ?? null);
  }
}
