/** States one after the other, of which one is the present: what undo and redo walk along. */
export interface Timeline<T> {
  readonly past: readonly Moment<T>[];
  readonly present: T;
  readonly future: readonly Moment<T>[];
}

interface Moment<T> {
  state: T;
  /** What leads from it to the next state. */
  deed: string;
}

const MOST = 200;

export const begun = <T>(present: T): Timeline<T> => ({ past: [], present, future: [] });

/** Goes on to a state. Of the same deed again (typing on in a field, say) the first is undone to. */
export function done<T>({ past, present }: Timeline<T>, deed: string, next: T, goesOn = false): Timeline<T> {
  const isSameDeed = goesOn && past.at(-1)?.deed === deed;
  return { past: isSameDeed ? past : [...past, { state: present, deed }].slice(-MOST), present: next, future: [] };
}

export function undone<T>({ past, present, future }: Timeline<T>): Timeline<T> | null {
  const last = past.at(-1);
  return last ? { past: past.slice(0, -1), present: last.state, future: [{ state: present, deed: last.deed }, ...future] } : null;
}

export function redone<T>({ past, present, future }: Timeline<T>): Timeline<T> | null {
  const [next, ...later] = future;
  return next ? { past: [...past, { state: present, deed: next.deed }], present: next.state, future: later } : null;
}
