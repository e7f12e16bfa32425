import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';

import proj4 from 'proj4';

import { SERVER, launch, skip, somePredio } from './browser.mjs';

/** The libraries as one file each, for pages. */
const require = createRequire(import.meta.url);
const LIBRARIES = ['ol/package.json', 'proj4/package.json'].map(
  (library, index) => new URL(['dist/ol.js', 'dist/proj4.js'][index], pathToFileURL(require.resolve(library))),
);
const ORIGEN_NACIONAL = 'http://www.opengis.net/def/crs/EPSG/0/9377';
const CRS84 = 'http://www.opengis.net/def/crs/OGC/1.3/CRS84';

/** EPSG:9377 for proj4: PROJ's own string, with coordinates as easting, northing. */
const DEFINITION = '+proj=tmerc +lat_0=4 +lon_0=-73 +k=0.9992 +x_0=5000000 +y_0=2000000 +ellps=GRS80 +units=m +no_defs';

const rings = ({ type, coordinates }) => (type === 'Polygon' ? coordinates : coordinates.flat());

/**
 * In the page: opens the tileset as OpenLayers does, knowing nothing but its address, and gives the
 * corners of that feature as they are drawn, and what stands at its middle on the screen.
 */
async function draw({ url, definition, centre, level, id }) {
  const { ol, proj4, document, fetch } = globalThis;
  const { crs } = await (await fetch(url)).json();
  proj4.defs(crs, definition);
  ol.proj.proj4.register(proj4);
  const target = document.createElement('div');
  target.style = 'position: fixed; inset: 0; width: 600px; height: 400px';
  document.body.append(target);
  const format = new ol.format.MVT({ featureClass: ol.Feature });
  // Without being told, OpenLayers takes vector tiles to be in Web Mercator.
  const source = new ol.source.OGCVectorTile({ url, format, projection: crs });
  await new Promise((done, failed) => {
    source.on('change', () => {
      if (source.getState() === 'ready') done();
      if (source.getState() === 'error') failed(new Error('the tileset cannot be read'));
    });
  });
  const layer = new ol.layer.VectorTile({ source });
  const grid = source.getTileGrid();
  const view = new ol.View({
    projection: source.getProjection(),
    center: centre,
    resolution: grid.getResolution(level),
    constrainResolution: false,
  });
  const map = new ol.Map({ target, layers: [layer], view, pixelRatio: 1 });
  await new Promise((done) => map.once('rendercomplete', done));
  const drawn = layer.getFeaturesInExtent(view.calculateExtent()).filter((feature) => feature.getId() === id);
  const corners = drawn.flatMap((feature) => {
    const flat = feature.getGeometry().getFlatCoordinates();
    return Array.from({ length: flat.length / 2 }, (_, index) => [flat[2 * index], flat[2 * index + 1]]);
  });
  const here = map.getFeaturesAtPixel(map.getPixelFromCoordinate(centre)).map((feature) => feature.getId());
  return { corners, here, crs, cell: grid.getResolution(level) };
}

describe('in OpenLayers', { skip }, () => {
  let browser;
  let predio;
  before(async () => {
    browser = await launch();
    predio = await somePredio();
  });
  after(() => browser?.close());

  test('the definition for proj4 has the known places where they are', () => {
    for (const [longitude, latitude, easting, northing] of [
      [-75.2322, 4.4389, 4_752_388.904, 2_048_868.316],
      [-72.5078, 7.8939, 5_054_232.907, 2_430_300.719],
    ]) {
      const [x, y] = proj4(DEFINITION, [longitude, latitude]);
      assert.ok(Math.hypot(x - easting, y - northing) < 0.001, `${x} ${y}`);
    }
  });

  for (const { set, crs, definition, metres, level } of [
    { set: 'MagnaOrigenNacional', crs: ORIGEN_NACIONAL, definition: DEFINITION, metres: 1, level: 14 },
    { set: 'WorldCRS84Quad', crs: CRS84, definition: '+proj=longlat +datum=WGS84 +no_defs', metres: 111_319.49, level: 17 },
  ])
    test(`the corners of a predio in ${set} are where they are known to be`, async (t) => {
      const expected = rings(predio.feature.geometry).flat().map((corner) => proj4(definition, corner.slice(0, 2)));
      const mean = (axis) => expected.reduce((sum, corner) => sum + corner[axis], 0) / expected.length;
      const centre = [mean(0), mean(1)];
      const context = await browser.newContext({ bypassCSP: true, viewport: { width: 600, height: 400 } });
      try {
        const page = await context.newPage();
        const refused = [];
        page.on('response', (answer) => answer.status() >= 400 && refused.push(`${answer.status()} ${answer.url()}`));
        await page.goto(`${SERVER}tileMatrixSets?f=html`);
        for (const library of LIBRARIES) await page.evaluate(await readFile(library, 'utf8'));
        const url = `${SERVER}collections/predios/tiles/${set}?f=json`;
        const drawn = await page.evaluate(draw, { url, definition, centre, level, id: predio.feature.id });

        assert.equal(drawn.crs, crs);
        // A unit of the tile is a sixteenth of a pixel; the server states half a unit and a centimetre.
        const most = (drawn.cell / 16) * metres * Math.SQRT1_2 + 0.01 * Math.SQRT2;
        const off = expected.map((corner) =>
          Math.min(...drawn.corners.map(([x, y]) => metres * Math.hypot(x - corner[0], y - corner[1]))),
        );
        t.diagnostic(`${off.length} corners, ${Math.max(...off).toFixed(4)} m off at most, of ${most.toFixed(4)} m`);
        assert.ok(off.length > 3 && Math.max(...off) <= most, JSON.stringify({ off, expected, drawn }));
        assert.ok(drawn.here.includes(predio.feature.id), `at its middle is ${drawn.here}`);
        assert.deepEqual(refused, []);
      } finally {
        await context.close();
      }
    });
});
