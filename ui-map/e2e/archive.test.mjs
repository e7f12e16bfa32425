import assert from 'node:assert/strict';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { Compression, PMTiles, TileType } from 'pmtiles';

import { lindero, skip } from './program.mjs';
import { SERVER } from './browser.mjs';

const HIGHEST = 14;

/** The viewers' library over a file, as it reads one over HTTP: by ranges of bytes. */
class FileSource {
  constructor(path, file) {
    this.path = path;
    this.file = file;
  }
  getKey() {
    return this.path;
  }
  async getBytes(offset, length) {
    const { buffer, bytesRead } = await this.file.read(Buffer.alloc(length), 0, length, offset);
    return { data: buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + bytesRead) };
  }
}

const column = (longitude, zoom) => Math.floor(((longitude + 180) / 360) * 2 ** zoom);
const row = (latitude, zoom) => {
  const angle = (latitude * Math.PI) / 180;
  return Math.floor(((1 - Math.asinh(Math.tan(angle)) / Math.PI) / 2) * 2 ** zoom);
};

/** Every tile that the archive's bounds touch, and those around. */
function* addresses({ minLon, minLat, maxLon, maxLat }) {
  for (let z = 0; z <= HIGHEST; z++) {
    const within = (index) => Math.min(Math.max(index, 0), 2 ** z - 1);
    for (let y = within(row(maxLat, z) - 1); y <= within(row(minLat, z) + 1); y++)
      for (let x = within(column(minLon, z) - 1); x <= within(column(maxLon, z) + 1); x++) yield { z, x, y };
  }
}

describe('an archive of tiles', { skip }, () => {
  let folder;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lindero-archive-'));
  });
  after(async () => {
    await rm(folder, { recursive: true });
  });

  for (const [layers, names] of [
    [['barrios'], ['barrios', 'labels']],
    [['predios'], null],
    [['vias'], ['vias']],
    [['instituciones_educativas'], ['instituciones_educativas']],
    // Layers without labels: a tile of several is those of each, one after the other.
    [
      ['vias', 'instituciones_educativas', 'zonas_wifi'],
      ['vias', 'instituciones_educativas', 'zonas_wifi'],
    ],
  ])
    test(`of ${layers.join(', ')} opens in the viewers' library and is what the server serves`, async (t) => {
      const path = join(folder, `${layers.join('-')}.pmtiles`);
      const arguments_ = ['export', '--tiles', ...layers, '--max-zoom', `${HIGHEST}`, '--output', path];
      t.diagnostic((await lindero(...arguments_)).trim());

      const file = await open(path);
      try {
        const archive = new PMTiles(new FileSource(path, file));
        const header = await archive.getHeader();
        assert.equal(header.specVersion, 3);
        assert.equal(header.tileType, TileType.Mvt);
        assert.equal(header.tileCompression, Compression.Gzip);
        assert.equal(header.clustered, true);
        assert.equal(header.maxZoom, HIGHEST);
        const metadata = await archive.getMetadata();
        if (names) assert.deepEqual(metadata.vector_layers.map(({ id }) => id), names);

        let held = 0;
        let generalised = 0;
        const compare = async ({ z, x, y }) => {
          const kept = await archive.getZxy(z, x, y);
          const served = [];
          for (const layer of layers) {
            const tile = await fetch(`${SERVER}collections/${layer}/tiles/WebMercatorQuad/${z}/${y}/${x}`);
            assert.ok(tile.ok, `${z}/${y}/${x}`);
            generalised += tile.headers.has('lindero-generalised') ? 1 : 0;
            served.push(Buffer.from(await tile.arrayBuffer()));
          }
          const bytes = Buffer.concat(served);
          assert.equal(bytes.length > 0, Boolean(kept), `${z}/${y}/${x}`);
          if (kept) assert.ok(bytes.equals(Buffer.from(kept.data)), `${z}/${y}/${x}`);
          held += kept ? 1 : 0;
        };
        const waiting = addresses(header);
        await Promise.all(
          Array.from({ length: 4 }, async () => {
            for (const address of waiting) await compare(address);
          }),
        );
        t.diagnostic(`${generalised} tiles are generalised`);
        assert.ok(held > 10, `${held} tiles`);
        assert.equal(held, header.numAddressedTiles);
      } finally {
        await file.close();
      }
    });
});
