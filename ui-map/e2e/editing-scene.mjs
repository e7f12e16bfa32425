import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { comeIn, lindero, makeAccount } from './program.mjs';
import { SERVER } from './browser.mjs';

/** Accounts are never deleted: another run needs others. */
const NAMES = [`delineante_${process.pid}`, `sistema_${process.pid}`];

/** Three lots in a row, the last with a gap before it; a hundred pixels wide at zoom 18. */
export const SIDE = 0.00027;
export const GAP = 0.0001;
export const [WEST, SOUTH] = [-75.23221234, 4.43891234];
const round = (number) => Math.round(number * 1e8) / 1e8;
const square = (west, south) => {
  const [w, s, e, n] = [west, south, west + SIDE, south + SIDE].map(round);
  return [[w, s], [e, s], [e, n], [w, n], [w, s]];
};
const lot = (codigo, west) => ({
  type: 'Feature',
  geometry: { type: 'Polygon', coordinates: [square(west, SOUTH)] },
  properties: { codigo, uso: 'vivienda', pisos: 2 },
});

const LOTS = `
title = { es = "Lotes de prueba", en = "Test lots" }
sector = "catastro"
visibility = "publica"
natural_key = "codigo"
label = "codigo"

[[attributes]]
name = "codigo"
type = "text"
required = true
title = { es = "Código", en = "Code" }

[[attributes]]
name = "uso"
type = "text"
title = { es = "Uso", en = "Use" }
domain = { values = [
  { value = "vivienda", title = { es = "Vivienda", en = "Housing" } },
  { value = "comercio", title = { es = "Comercio", en = "Trade" } },
] }

[[attributes]]
name = "pisos"
type = "integer"
title = { es = "Pisos", en = "Floors" }
domain = { range = { min = 1, max = 60 } }
`;

const TREES = `
title = { es = "Árboles de prueba", en = "Test trees" }
sector = "ambiente"
visibility = "publica"
label = "especie"

[[attributes]]
name = "especie"
type = "text"
required = true
title = { es = "Especie", en = "Species" }
`;

/** Layers to edit, an account that may, and a key by which somebody else changes them too. */
export async function makeScene() {
  const folder = await mkdtemp(join(tmpdir(), 'lindero-e2e-'));
  const layer = async (id, features, definition) => {
    const [data, toml] = [join(folder, `${id}.geojson`), join(folder, `${id}.toml`)];
    await writeFile(data, JSON.stringify({ type: 'FeatureCollection', features }));
    await writeFile(toml, definition);
    await lindero('import', data, '--as', id, '--definition', toml);
  };
  const lots = [['L-1', WEST], ['L-2', WEST + SIDE], ['L-3', WEST + 2 * SIDE + GAP]].map(([code, west]) => lot(code, west));
  await layer('lotes_prueba', lots, LOTS);
  const tree = { type: 'Feature', geometry: { type: 'Point', coordinates: [WEST, round(SOUTH - SIDE)] }, properties: { especie: 'Ocobo' } };
  await layer('arboles_prueba', [tree], TREES);
  await makeAccount(NAMES[0], 'editor');
  await lindero('user', 'add', NAMES[1], '--system');
  await lindero('user', 'assign', NAMES[1], 'editor');
  const key = (await lindero('user', 'key', NAMES[1], '--title', 'pruebas')).match(/\b(lin\w*_[\w-]+|\S{40,})/)[0];

  /** Asks as the other system. */
  const ask = async (path, { method = 'GET', body, headers = {} } = {}) => {
    const response = await fetch(new URL(path, SERVER), {
      method,
      headers: { authorization: `Bearer ${key}`, accept: 'application/json', ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return { etag: response.headers.get('etag'), body: response.status === 204 ? null : await response.json() };
  };
  const items = async (id) => (await ask(`collections/${id}/items?limit=100`)).body.features;
  return {
    ask,
    items,
    lot: async (code) => (await items('lotes_prueba')).find(({ properties }) => properties.codigo === code),
    /** Changes a feature behind the back of whoever edits it. */
    change: async (id, properties) => {
      const path = `collections/lotes_prueba/items/${id}`;
      const { etag } = await ask(path);
      const headers = { 'content-type': 'application/merge-patch+json', 'if-match': etag };
      await ask(path, { method: 'PATCH', body: { properties }, headers });
    },
    /** For `open(..., { before })`: the page is that of the account. */
    comeIn: comeIn(NAMES[0]),
    end: async () => {
      for (const id of ['lotes_prueba', 'arboles_prueba']) await lindero('layer', 'remove', id, '--yes');
      await rm(folder, { recursive: true });
    },
  };
}

/** Where a position is on the screen. `covered` is what the panel hides: left and below, in CSS pixels. */
export async function pixelOf(page, [lon, lat], [left, below] = [384, 0]) {
  const { width, height } = page.viewportSize();
  const hash = new URL(page.url()).hash;
  const [zoom, y, x] = hash.match(/map=([\d.]+)\/([-\d.]+)\/([-\d.]+)/).slice(1).map(Number);
  const scale = 512 * 2 ** zoom;
  const mercator = (degrees) => {
    const sine = Math.sin((degrees * Math.PI) / 180);
    return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
  };
  return [(width + left) / 2 + ((lon - x) / 360) * scale, (height - below) / 2 + (mercator(lat) - mercator(y)) * scale];
}

export async function drag(page, from, to, { alt = false } = {}) {
  await page.mouse.move(...from);
  await page.mouse.down();
  if (alt) await page.keyboard.down('Alt');
  // A drag is several movements: one alone could be a click.
  await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2, { steps: 3 });
  await page.mouse.move(...to, { steps: 3 });
  await page.mouse.up();
  if (alt) await page.keyboard.up('Alt');
}
