import { RequestFailure } from '../api/client';
import type { Feature, FeatureId } from '../api/types';
import { type Conflict, type Edited, getTagged, refusal, sendEdits, type Violation } from './api';
import { anew, resolved, type Side } from './conflict';
import { type Draft, editsOf, emptyDraft, isChanged, keyOf, opened, type Piece, put } from './draft';
import type { Editor } from './editor.svelte';
import { isEditable, type Position } from './geometry/parts';
import { fault } from './geometry/topology';

/** What breaks a rule, and in which piece. */
export interface Fault {
  key: string;
  /** The attribute's name; null where it is the geometry, or the whole. */
  attribute: string | null;
  detail: string;
  position: Position | null;
}

/** A piece that somebody else changed meanwhile. */
export interface Clash {
  piece: Piece;
  etag: string;
  /** As it is now; null where it is gone. */
  theirs: Feature | null;
}

/** The map shows what was saved by itself within this; where the server cannot tell, it is asked to. */
const LATEST_MS = 8000;

/** Saves the draft, and what may come between. */
export class Saving {
  readonly #editor: Editor;
  busy = $state(false);
  reason = $state('');
  faults = $state.raw<Fault[]>([]);
  clash = $state.raw<Clash | null>(null);
  /** What was refused, where it is no single value's fault. */
  said = $state('');
  /** What was saved, drawn by us until the tiles show it. */
  echo = $state.raw<Piece[]>([]);
  #stopWatching: (() => void) | null = null;
  /** Whether the map has asked for the tiles that changed since saving began. */
  #told = false;
  #latest: ReturnType<typeof setTimeout> | undefined;

  constructor(editor: Editor) {
    this.#editor = editor;
  }

  /** What was said of the draft is so no more. */
  forget(): void {
    this.said = '';
    this.faults = [];
  }

  async save(): Promise<void> {
    const editor = this.#editor;
    const { edits, pieces } = editsOf(editor.draft);
    if (edits.length === 0 || this.busy) return;
    this.forget();
    this.faults = pieces.flatMap((piece) => this.#selfFault(piece));
    if (this.faults.length > 0) {
      this.#showFault(this.faults[0]!);
      return;
    }
    this.busy = true;
    this.#listen();
    try {
      const { session, settings } = editor.app;
      const edited = await sendEdits(editor.collection.id, edits, this.reason.trim(), settings.lang, session.csrf);
      await this.#saved(pieces, edited);
    } catch (error) {
      this.#refused(error, pieces);
    } finally {
      this.busy = false;
    }
  }

  #selfFault(piece: Piece): Fault[] {
    const { key, geometry, deleted } = piece;
    const position = !deleted && isEditable(geometry) ? fault(geometry) : null;
    return position ? [{ key, attribute: null, detail: this.#editor.t('geometryFault'), position }] : [];
  }

  async #saved(pieces: Piece[], edited: Edited[]): Promise<void> {
    const editor = this.#editor;
    const chosen = editor.selected;
    this.#echo(pieces);
    // Computed attributes and defaults are the server's: what was saved is read as it became.
    const isUntouched = chosen !== null && !isChanged(chosen);
    let draft: Draft = isUntouched ? put(emptyDraft, chosen) : emptyDraft;
    let selected: string | null = isUntouched ? chosen.key : null;
    for (const [index, piece] of pieces.entries()) {
      if (piece.deleted || piece.key !== chosen?.key) continue;
      const { id } = edited[index]!;
      const now = await getTagged(editor.collection.id, id).catch(() => null);
      if (now) draft = put(draft, opened({ ...now.feature, id }, now.etag));
      selected = keyOf(id);
    }
    this.reason = '';
    this.clash = null;
    editor.begin(draft, selected);
    const text = editor.t('saved', { count: pieces.length });
    editor.app.say(text);
    editor.app.announcement = text;
  }

  #refused(error: unknown, pieces: Piece[]): void {
    const editor = this.#editor;
    const { violations, conflicts } = refusal(error);
    const [conflict] = conflicts;
    if (conflict && pieces[conflict.edit]) {
      editor.app.openTab('task');
      this.clash = { piece: pieces[conflict.edit]!, etag: conflict.etag ?? '', theirs: conflict.feature };
      void this.#fillIn(conflict);
      return;
    }
    this.faults = violations.flatMap((violation) => this.#faultOf(violation, pieces));
    if (this.faults[0]) {
      this.#showFault(this.faults[0]);
      return;
    }
    const known: Partial<Record<number, 'notAllowed' | 'notWritable'>> = { 403: 'notAllowed', 409: 'notWritable' };
    const key = error instanceof RequestFailure && error.status !== null ? known[error.status] : undefined;
    this.said = `${editor.t('notSaved')} ${key ? editor.t(key) : editor.app.problemText(error)}`;
    editor.app.announcement = this.said;
  }

  /** A server that says only that there is another version is asked for it. */
  async #fillIn(conflict: Conflict): Promise<void> {
    if (conflict.feature && conflict.etag) return;
    const now = await getTagged(this.#editor.collection.id, conflict.id).catch(() => null);
    if (now && this.clash) this.clash = { ...this.clash, etag: now.etag, theirs: now.feature };
  }

  #faultOf({ edit, pointer, detail, position }: Violation, pieces: Piece[]): Fault[] {
    const piece = pieces[edit];
    const name = /^\/properties\/(.+)$/.exec(pointer)?.[1];
    const attribute = name === undefined ? null : name.replace(/~1/g, '/').replace(/~0/g, '~');
    return piece ? [{ key: piece.key, attribute, detail, position: position ?? null }] : [];
  }

  #showFault({ key, position }: Fault): void {
    const editor = this.#editor;
    editor.select(key);
    editor.app.openTab('task');
    if (position) editor.app.map?.show([position[0], position[1], position[0], position[1]], editor.app.view?.zoom ?? 18);
    editor.app.announcement = editor.t('violations', { count: this.faults.length });
  }

  /** Takes what was chosen of a clash, and saves again. */
  async resolve(choice: Readonly<Record<string, Side>>): Promise<void> {
    const { clash } = this;
    if (!clash?.theirs) return;
    const piece = resolved(clash.piece, clash.theirs, clash.etag, choice);
    await this.#goOn(put(this.#editor.draft, piece), piece.key);
  }

  /** Of a feature that is gone: adds it again, or leaves it. */
  async resolveGone(keep: boolean): Promise<void> {
    const { clash } = this;
    if (!clash) return;
    const rest = new Map([...this.#editor.draft].filter(([key]) => key !== clash.piece.key));
    const again = anew(clash.piece, this.#editor.newKey());
    await this.#goOn(keep ? put(rest, again) : rest, keep ? again.key : null);
  }

  async #goOn(draft: Draft, selected: string | null): Promise<void> {
    this.clash = null;
    this.#editor.begin(draft, selected);
    await this.save();
  }

  /** Hears when the map asks for tiles with what is being saved: that may be told before the answer is there. */
  #listen(): void {
    const { app, collection } = this.#editor;
    this.#stopWatching?.();
    this.#told = false;
    this.#stopWatching = app.watch((changes) => {
      if (changes && !changes.some(({ id, features }) => id === collection.id && features.length > 0)) return;
      this.#editor.around.forget([collection.id]);
      this.#told = true;
      if (this.echo.length > 0) this.#showSoon();
    });
  }

  /**
   * Draws what was saved until the tiles show it too: between the answer and the new tiles the map would show again what
   * was before.
   */
  #echo(pieces: Piece[]): void {
    const { app } = this.#editor;
    this.echo = [...this.echo, ...pieces];
    clearTimeout(this.#latest);
    if (this.#told) this.#showSoon();
    else {
      this.#latest = setTimeout(() => {
        app.map?.refreshAll();
        this.#showSoon();
      }, LATEST_MS);
    }
  }

  /** Once the tiles that were asked for are there. */
  #showSoon(): void {
    const map = this.#editor.app.map?.shown;
    if (map) map.once('idle', () => this.#shown());
    else this.#shown();
  }

  /** The features that the tiles draw, first; when they do, ours no more. */
  #shown(): void {
    clearTimeout(this.#latest);
    this.#stopWatching?.();
    if (this.echo.length === 0) return;
    this.shownByTiles = true;
    const gone = () => {
      this.echo = [];
      this.shownByTiles = false;
    };
    const map = this.#editor.app.map?.shown;
    if (map) map.once('idle', gone);
    else gone();
  }

  /** The tiles show what was saved; ours is drawn on top until they are on the screen. */
  shownByTiles = $state(false);

  /** Features that the tiles must not draw, since we do. */
  get hiddenIds(): FeatureId[] {
    if (this.shownByTiles) return [];
    return this.echo.flatMap(({ origin }) => (origin ? [origin.id] : []));
  }

  end(): void {
    clearTimeout(this.#latest);
    this.#stopWatching?.();
  }
}
