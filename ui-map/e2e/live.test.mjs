import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { lindero, skip } from './program.mjs';
import { catalogue, close, DESKTOP, launch, open, SERVER, somePredio } from './browser.mjs';
import { relay } from './relay.mjs';

const sql = (statement) => lindero('psql', '--', '-q', '-v', 'ON_ERROR_STOP=1', '-c', statement);

const PANEL = 384;
const TILE = /\/collections\/(\w+)\/tiles\/WebMercatorQuad\/(\d+)\/(\d+)\/(\d+)/;
const PATIENCE_MS = 30_000;

/** The middle of the map, as it is drawn. */
function picture(page) {
  const { width, height } = DESKTOP.viewport;
  const side = 240;
  const x = PANEL + (width - PANEL) / 2 - side / 2;
  return page.screenshot({ clip: { x, y: height / 2 - side / 2, width: side, height: side } });
}

async function until(what, holds) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) if (await holds()) return;
  assert.fail(`not within ${PATIENCE_MS} ms: ${what}`);
}

/** The picture when it has come to rest. */
async function settled(page) {
  let last = await picture(page);
  await until('the picture rests', async () => {
    await page.waitForTimeout(500);
    const now = await picture(page);
    const same = now.equals(last);
    last = now;
    return same;
  });
  return last;
}

const column = (longitude, zoom) => ((longitude + 180) / 360) * 2 ** zoom;
const row = (latitude, zoom) => (1 - Math.asinh(Math.tan((latitude * Math.PI) / 180)) / Math.PI) * 2 ** (zoom - 1);

/** Whether a tile, with the sixteenth of its side that it may show around itself, shows the predio. */
function shows(url, { geometry }) {
  const [, collection, z, y, x] = url.match(TILE).map((part, index) => (index > 1 ? Number(part) : part));
  const corners = geometry.coordinates.flat(geometry.type === 'Polygon' ? 1 : 2);
  const [columns, rows] = [corners.map(([lon]) => column(lon, z)), corners.map(([, lat]) => row(lat, z))];
  const meets = (at, places) => Math.min(...places) <= at + 17 / 16 && Math.max(...places) >= at - 1 / 16;
  return collection === 'predios' && meets(x, columns) && meets(y, rows);
}

describe('an open map', { skip }, () => {
  let browser;
  let predio;
  let uses;
  before(async () => {
    browser = await launch();
    predio = await somePredio();
    uses = (await catalogue()).get('predios').lindero.attributes.find(({ name }) => name === 'uso').domain.values;
  });
  after(() => browser?.close());

  const other = () => uses.find(({ value }) => value !== predio.feature.properties.uso);
  const use = (value) => sql(`UPDATE geo.predios SET uso = '${value}' WHERE fid = ${predio.feature.id}`);
  const look = async (server) => {
    const { feature, lon, lat } = predio;
    const hash = `map=16.2/${lat}/${lon}&layers=predios&sel=predios/${feature.id}`;
    let listening;
    const page = await open(browser, {
      ...DESKTOP,
      hash,
      server,
      before: (p) => {
        // Not to be waited for here: it comes after the first picture.
        listening = p.waitForResponse((answer) => new URL(answer.url()).pathname === '/changes');
      },
    });
    assert.equal((await listening).status(), 200);
    await page.getByText(feature.properties.numero_predial).first().waitFor();
    return page;
  };
  const shown = (page, { title }) => page.locator('.card.chosen dd').filter({ hasText: title.es }).first();

  test('shows what somebody writes into the database, and asks for no tile that it does not touch', async () => {
    const page = await look(SERVER);
    const before_ = await settled(page);
    const asked = [];
    page.on('request', (request) => asked.push(request.url()));
    await use(other().value);
    try {
      await until('the map shows it', async () => !(await picture(page)).equals(before_));
      await shown(page, other()).waitFor();
      await settled(page);
      const tiles = asked.filter((url) => TILE.test(url));
      assert.ok(tiles.length > 0);
      assert.deepEqual(tiles.filter((url) => !shows(url, predio.feature)), []);
    } finally {
      await use(predio.feature.properties.uso);
    }
    await until('the map is as it was', async () => (await picture(page)).equals(before_));
    assert.ok(!asked.some((url) => new URL(url).pathname === '/' && !url.includes('?')), 'not reloaded');
    assert.equal(await page.getByRole('alert').count(), 0);
    await close(page);
  });

  test('that lost its server shows what happened meanwhile', async () => {
    const server = await relay(SERVER);
    try {
      const page = await look(server.url);
      const before_ = await settled(page);
      await server.cut();
      await use(other().value);
      try {
        await server.mend();
        await until('the map shows it', async () => !(await picture(page)).equals(before_));
        await shown(page, other()).waitFor();
        // A server that was started anew does not know where the page stood.
        await server.cut();
        await use(predio.feature.properties.uso);
        server.headers = { 'last-event-id': '0123456789abcdef-1' };
        await server.mend();
        await until('the map is as it was', async () => (await picture(page)).equals(before_));
      } finally {
        await use(predio.feature.properties.uso);
      }
      page.complaints = page.complaints.filter((complaint) => !/Failed to load resource|ERR_/.test(complaint));
      await close(page);
    } finally {
      await server.cut();
    }
  });

  test('is the same where something on the way takes gzip only', async () => {
    const server = await relay(SERVER, { 'accept-encoding': 'gzip' });
    try {
      const pictures = [];
      for (const url of [SERVER, server.url]) {
        const page = await look(url);
        pictures.push(await settled(page));
        await close(page);
      }
      const tiles = server.answers.filter(({ path, status }) => TILE.test(path) && status === 200);
      assert.ok(tiles.length > 10, `${tiles.length} tiles`);
      assert.deepEqual(tiles.filter(({ encoding }) => encoding !== 'gzip'), []);
      assert.ok(pictures[0].equals(pictures[1]), 'the same picture');
    } finally {
      await server.cut();
    }
  });
});
