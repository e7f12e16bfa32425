import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Compression, PMTiles, TileType } from 'pmtiles';

import { SERVER } from './browser.mjs';

const binary = fileURLToPath(new URL('../../target/debug/lindero', import.meta.url));
/** The command works on the data folder of the server under test, which scripts/test-server names. */
const skip = SERVER && process.env.LINDERO_DATA_DIR ? false : 'LINDERO_E2E_URL and LINDERO_DATA_DIR name no server';

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

  for (const [layer, names] of [
    ['barrios', ['barrios', 'labels']],
    ['vias', ['vias']],
    ['instituciones_educativas', ['instituciones_educativas']],
  ])
    test(`of ${layer} opens in the viewers' library and is what the server serves`, async (t) => {
      const path = join(folder, `${layer}.pmtiles`);
      const arguments_ = ['export', '--tiles', layer, '--max-zoom', `${HIGHEST}`, '--output', path];
      const { stdout } = await promisify(execFile)(binary, arguments_);
      t.diagnostic(stdout.trim());

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
        assert.deepEqual(metadata.vector_layers.map(({ id }) => id), names);

        let held = 0;
        const compare = async ({ z, x, y }) => {
          const kept = await archive.getZxy(z, x, y);
          const served = await fetch(`${SERVER}collections/${layer}/tiles/WebMercatorQuad/${z}/${y}/${x}`);
          assert.equal(served.status, kept ? 200 : 204, `${z}/${y}/${x}`);
          const bytes = Buffer.from(await served.arrayBuffer());
          if (kept) assert.ok(bytes.equals(Buffer.from(kept.data)), `${z}/${y}/${x}`);
          held += kept ? 1 : 0;
        };
        const waiting = addresses(header);
        await Promise.all(
          Array.from({ length: 4 }, async () => {
            for (const address of waiting) await compare(address);
          }),
        );
        assert.ok(held > 10, `${held} tiles`);
        assert.equal(held, header.numAddressedTiles);
      } finally {
        await file.close();
      }
    });
});
