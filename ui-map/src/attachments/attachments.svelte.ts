import { RequestFailure } from '../api/client';
import type { FeatureId } from '../api/types';
import type { App } from '../state/app.svelte';
import { failed, loading, ready, type Remote } from '../state/remote';
import { addAttachment, type Attachment, type AttachmentList, fileUrl, getAttachments, type Limits, previewUrl, removeAttachment } from './api';
import { type Fault, faultOf, faultText } from './faults';
import { type Say, sayIn } from './texts';

/** A file that was chosen, and is not added yet. */
export class Pending {
  caption = $state('');
  status = $state<'chosen' | 'waiting' | 'sending'>('chosen');
  /** What part of it has gone. */
  share = $state(0);
  /** Why it was not added. */
  fault = $state.raw<Fault | null>(null);
  readonly #control = new AbortController();

  constructor(
    readonly key: number,
    readonly file: File,
  ) {}

  get signal(): AbortSignal {
    return this.#control.signal;
  }

  giveUp(): void {
    this.#control.abort();
  }
}

/** The photos and documents of one feature, and those that are being added to it. */
export class Attachments {
  list = $state.raw<Remote<AttachmentList>>(loading);
  pending = $state.raw<Pending[]>([]);
  sending = $state(false);
  /** What went wrong with what is there already. */
  said = $state('');
  #keys = 0;

  constructor(
    readonly app: App,
    readonly collection: string,
    readonly feature: FeatureId,
  ) {
    void this.load();
  }

  // Read anew each time: what is derived goes with the card in which it was first wanted, and this outlives cards.
  get all(): Attachment[] {
    return this.list.status === 'ready' ? this.list.value.attachments : [];
  }
  get photos(): Attachment[] {
    return this.all.filter(({ type }) => type.startsWith('image/'));
  }
  get documents(): Attachment[] {
    return this.all.filter(({ type }) => !type.startsWith('image/'));
  }
  get limits(): Limits | null {
    return this.list.status === 'ready' ? this.list.value.limits : null;
  }
  get isFull(): boolean {
    return this.limits !== null && this.all.length >= this.limits.attachments;
  }
  /** Those that nothing speaks against. */
  get sendable(): Pending[] {
    return this.pending.filter((one) => !this.forbids(one));
  }

  say: Say = (key, parameters) => sayIn(this.app.settings.lang)(key, parameters);
  fileUrl = (attachment: Attachment): string => fileUrl(this.collection, this.feature, attachment);
  previewUrl = (attachment: Attachment): string => previewUrl(this.collection, this.feature, attachment);

  async load(): Promise<void> {
    this.list = loading;
    await this.refresh();
  }

  /** Reads them again; what is shown stays until the answer is there, and where there is none. */
  async refresh(): Promise<void> {
    try {
      this.list = ready(await getAttachments(this.collection, this.feature));
    } catch (error) {
      if (this.list.status !== 'ready') this.list = failed(error);
    }
  }

  #put(change: (before: Attachment[]) => Attachment[]): void {
    if (this.list.status === 'ready') this.list = ready({ ...this.list.value, attachments: change(this.all) });
  }

  /** Takes files to be added, which may still be described. */
  choose(files: Iterable<File>): void {
    this.pending = [...this.pending, ...Array.from(files, (file) => new Pending((this.#keys += 1), file))];
    remember(this);
  }

  drop(one: Pending): void {
    one.giveUp();
    this.pending = this.pending.filter((other) => other !== one);
    remember(this);
  }

  /** Leaves all that is not on its way. */
  dropAll(): void {
    this.pending = this.pending.filter(({ status }) => status !== 'chosen');
    remember(this);
  }

  /** What is known to speak against a file, before it is sent. */
  forbids(one: Pending): Fault | null {
    const { limits } = this;
    if (!limits) return null;
    const own = faultOf(one.file, limits);
    if (own) return own;
    const before = this.pending.slice(0, this.pending.indexOf(one)).filter(({ file }) => !faultOf(file, limits));
    return this.all.length + before.length >= limits.attachments ? { kind: 'tooMany' } : null;
  }

  /** Why a file is not added, in words; empty where nothing is wrong. */
  faultText(one: Pending): string {
    const fault = this.forbids(one) ?? one.fault;
    if (!fault || !this.limits) return '';
    const { app } = this;
    return faultText(this.say, app.settings.lang, fault, one.file, this.limits, (error) => app.problemText(error));
  }

  /** Sends one after the other, so that their order stays. What is refused remains, with its caption. */
  async send(): Promise<void> {
    const wanted = this.sendable;
    if (this.sending || wanted.length === 0) return;
    this.sending = true;
    for (const one of wanted) {
      one.status = 'waiting';
      one.fault = null;
    }
    remember(this);
    let added = 0;
    for (const one of wanted) {
      if (!one.signal.aborted && (await this.#sendOne(one))) added += 1;
    }
    this.sending = false;
    const rest = wanted.filter((one) => this.pending.includes(one)).length;
    // The answer to one that failed on its way may only have been lost.
    if (rest > 0) await this.refresh();
    remember(this);
    this.#report(added, rest);
  }

  async #sendOne(one: Pending): Promise<boolean> {
    const { file, signal } = one;
    one.status = 'sending';
    one.share = 0;
    try {
      const attachment = await addAttachment(this.collection, this.feature, {
        file,
        caption: one.caption.trim(),
        csrf: this.app.session.csrf,
        signal,
        progress: (share) => (one.share = share),
      });
      this.#put((before) => [...before, attachment]);
      this.pending = this.pending.filter((other) => other !== one);
      return true;
    } catch (error) {
      one.fault = { kind: 'refused', error };
      one.status = 'chosen';
      return false;
    }
  }

  #report(added: number, rest: number): void {
    const { app } = this;
    if (added + rest === 0) return;
    if (rest === 0) app.say(this.say('added', { count: added }));
    else app.say(added > 0 ? this.say('addedSome', { added, count: added + rest }) : this.say('addedNone'));
  }

  /** Whether it is gone. */
  async remove(attachment: Attachment): Promise<boolean> {
    const { app } = this;
    const { id, name } = attachment;
    this.said = '';
    try {
      await removeAttachment(this.collection, this.feature, id, app.session.csrf);
    } catch (error) {
      // Somebody else was quicker.
      if (!(error instanceof RequestFailure && error.status === 404)) {
        this.said = this.say('removeFailed', { name, detail: app.problemText(error) });
        return false;
      }
    }
    this.#put((before) => before.filter((other) => other.id !== id));
    app.say(this.say('removed', { name }));
    return true;
  }
}

/** Those with files that are not added yet: a card that is closed meanwhile finds them again. */
const unfinished = new Map<string, Attachments>();
const nameOf = ({ collection, feature }: { collection: string; feature: FeatureId }): string => JSON.stringify([collection, String(feature)]);

/** Leaving the page would break off what is on its way. */
const askFirst = (event: BeforeUnloadEvent): void => event.preventDefault();

function remember(attachments: Attachments): void {
  if (attachments.pending.length > 0) unfinished.set(nameOf(attachments), attachments);
  else unfinished.delete(nameOf(attachments));
  if ([...unfinished.values()].some(({ sending }) => sending)) addEventListener('beforeunload', askFirst);
  else removeEventListener('beforeunload', askFirst);
}

/** The attachments of a feature, with what of them was not finished. */
export function attachmentsOf(app: App, collection: string, feature: FeatureId): Attachments {
  const before = unfinished.get(nameOf({ collection, feature }));
  void before?.refresh();
  return before ?? new Attachments(app, collection, feature);
}
