import { apiUrl } from './client';
import type { Bounds } from './types';

/** What changed of a collection. */
export interface CollectionChange {
  id: string;
  /** Where features were and are that changed. */
  features: Bounds[];
  /** Where generalised tiles changed, which follow the features. */
  generalised: Bounds[];
  /** Whether the catalogue says something else of it. */
  described: boolean;
}

export interface ChangeListener {
  changed: (changes: CollectionChange[]) => void;
  /** Any collection may have changed anywhere. */
  everything: () => void;
}

const FIRST_WAIT_MS = 2_000;
const LONGEST_WAIT_MS = 60_000;

/**
 * What changes on the server, as it changes: the page's one stream. A page that nobody looks at gives
 * its connection back, of which a browser has six for a server; when it is looked at again it is told
 * what it missed.
 */
export class ChangeStream {
  readonly #listener: ChangeListener;
  /** How far it has heard. */
  #position: string | null;
  #source: EventSource | null = null;
  #again: ReturnType<typeof setTimeout> | undefined;
  #wait = FIRST_WAIT_MS;

  /** `position` is from where on: `lindero.changes` of the landing page. */
  constructor(position: string | null, listener: ChangeListener) {
    this.#position = position;
    this.#listener = listener;
    document.addEventListener('visibilitychange', this.#attend);
    this.#attend();
  }

  close(): void {
    document.removeEventListener('visibilitychange', this.#attend);
    this.#disconnect();
  }

  readonly #attend = (): void => {
    if (document.visibilityState === 'hidden') this.#disconnect();
    else if (!this.#source) this.#connect();
  };

  #disconnect(): void {
    clearTimeout(this.#again);
    this.#source?.close();
    this.#source = null;
  }

  #connect(): void {
    this.#disconnect();
    const since = this.#position === null ? '' : `?since=${encodeURIComponent(this.#position)}`;
    const source = new EventSource(apiUrl(`changes${since}`));
    this.#source = source;
    const on = (kind: string, tell: (data: string) => void) =>
      source.addEventListener(kind, (event: MessageEvent<string>) => {
        this.#position = event.lastEventId || this.#position;
        tell(event.data);
      });
    on('changed', (data) => this.#listener.changed((JSON.parse(data) as { collections: CollectionChange[] }).collections));
    on('everything', () => this.#listener.everything());
    source.addEventListener('open', () => (this.#wait = FIRST_WAIT_MS));
    source.addEventListener('error', () => {
      // A connection that was lost the browser makes again. An answer that is no stream (too many pages, a
      // proxy's own page while the server is away) is the end for it, but not for us.
      if (source.readyState !== EventSource.CLOSED) return;
      this.#again = setTimeout(() => this.#connect(), this.#wait);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    });
  }
}
