/** The worker's address has a hash in it: the build writes it into the page's head. */
const address = (): string =>
  new URL(document.querySelector<HTMLMetaElement>('meta[name="map-worker"]')?.content ?? '', document.baseURI).href;

const create = (): Worker => new Worker(address(), { type: 'module' });

let early: Worker | null = null;

/** Starts the first worker while the engine is still on its way: it then takes part in no queue. */
export function startWorker(): void {
  early ??= create();
}

/** What MapLibre calls for each worker that it wants (build/maplibre.ts puts this in its place). */
export function workerFactory(): Promise<Worker> {
  const worker = early ?? create();
  early = null;
  return Promise.resolve(worker);
}
