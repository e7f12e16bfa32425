/** Something that comes from the server: asked for, on its way, there, or failed. */
export type Remote<T> =
  | { status: 'idle' }
  | { status: 'loading' }
  | { status: 'ready'; value: T }
  | { status: 'failed'; error: unknown };

export const idle = { status: 'idle' } as const;
export const loading = { status: 'loading' } as const;
export const ready = <T>(value: T): Remote<T> => ({ status: 'ready', value });
export const failed = (error: unknown): Remote<never> => ({ status: 'failed', error });

/** Lets only the latest of several requests answer: each `next` gives up the one before. */
export class Latest {
  #control = new AbortController();

  next(): AbortSignal {
    this.cancel();
    this.#control = new AbortController();
    return this.#control.signal;
  }

  cancel(): void {
    this.#control.abort();
  }
}
