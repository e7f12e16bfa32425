import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Plugin, transformWithOxc } from 'vite';

const home = new URL('../node_modules/maplibre-gl/', import.meta.url);
const source = fileURLToPath(new URL('src/', home));
const workerStart = fileURLToPath(new URL('../src/map/worker-start.ts', import.meta.url));

/**
 * Takes MapLibre from its sources (they are in its package) instead of its prebuilt files.
 *
 * The prebuilt page and worker files repeat each other: 442 kB of gzip together. From the sources
 * the bundler sees what both need, gives it to both as one chunk, and drops what we never call:
 * about 300 kB. On slow 4G that is 0.7 s. The worker stays a file of ours, so that the content
 * security policy needs no `blob:`.
 *
 * Three modules are replaced: the decoder of MapLibre's own tile format, which Lindero does not
 * serve; its package.json, of which it wants the version; and the one that creates workers, so that
 * the first of them can start before the engine is there.
 */
export function maplibreFromSources(): Plugin {
  const version = (JSON.parse(readFileSync(new URL('package.json', home), 'utf8')) as { version: string }).version;
  return {
    name: 'lindero:maplibre-from-sources',
    enforce: 'pre',
    config: () => ({
      resolve: { alias: [{ find: /^maplibre-gl\/src\//, replacement: source }] },
      optimizeDeps: { exclude: ['maplibre-gl'] },
    }),
    load(id) {
      if (id.endsWith('/maplibre-gl/package.json')) {
        return { code: JSON.stringify({ version }), moduleType: 'json' };
      }
      if (id.endsWith('/maplibre-gl/src/source/vector_tile_mlt.ts')) {
        return `export class MLTVectorTile { constructor() { throw new Error('MLT tiles are not supported'); } }`;
      }
      if (id.endsWith('/maplibre-gl/src/util/web_worker.ts')) {
        return `export { workerFactory } from ${JSON.stringify(workerStart)};`;
      }
      return null;
    },
    // MapLibre declares fields that its base classes have already filled; they must not be defined anew.
    async transform(code, id) {
      if (!id.startsWith(source) || !id.endsWith('.ts')) return null;
      const { code: javascript, map } = await transformWithOxc(code, id, {
        target: 'es2022',
        typescript: { removeClassFieldsWithoutInitializer: true },
        assumptions: { setPublicClassFields: true },
      });
      return { code: javascript, map, moduleType: 'js' };
    },
  };
}
