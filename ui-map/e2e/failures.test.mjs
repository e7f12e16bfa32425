import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { assertAccessible, close, DESKTOP, launch, NO_GL, open, PHONE, skip, somePredio } from './browser.mjs';

/** A failed request is an error on Chromium's console whatever the page does: these are expected. */
const forgive = (page) => {
  page.complaints = page.complaints.filter((complaint) => !/Failed to load resource/.test(complaint));
};

const problem = {
  status: 503,
  contentType: 'application/problem+json',
  body: JSON.stringify({ title: 'No disponible', status: 503, detail: 'La base de datos no responde.' }),
};

describe('when something fails', { skip }, () => {
  let browser;
  before(async () => (browser = await launch()));
  after(() => browser?.close());

  test('no catalogue: the page says so and tries again', async () => {
    const page = await open(browser, {
      ...DESKTOP,
      drawn: false,
      before: (p) => p.route('**/collections?f=json', (route) => route.fulfill(problem)),
    });
    await page.getByRole('alert').filter({ hasText: 'No se pudo cargar el catálogo' }).first().waitFor();
    await page.getByText('El servidor tuvo un error').first().waitFor();
    await assertAccessible(page, 'no catalogue');
    await page.unroute('**/collections?f=json');
    await page.getByRole('button', { name: 'Reintentar' }).first().click();
    await page.locator('[data-status=drawn]').waitFor({ timeout: 60_000 });
    forgive(page);
    await close(page);
  });

  test('no map engine: the page says that the server does not answer, not that the browser is too old', async () => {
    const page = await open(browser, {
      ...DESKTOP,
      drawn: false,
      before: (p) => p.route('**/assets/controller-*.js', (route) => route.abort()),
    });
    await page.getByRole('alert').filter({ hasText: 'No se pudo cargar el mapa' }).waitFor();
    assert.equal(await page.getByText('no tiene WebGL 2').count(), 0);
    await page.unrouteAll();
    await page.getByRole('alert').getByRole('button', { name: 'Reintentar' }).click();
    await page.locator('[data-status=drawn]').waitFor({ timeout: 60_000 });
    forgive(page);
    await close(page);
  });

  test('an old link to a feature that is gone: the page says so', async () => {
    const page = await open(browser, { ...DESKTOP, hash: 'sel=predios/999999999' });
    await page.getByRole('alert').filter({ hasText: 'El elemento ya no existe' }).waitFor();
    forgive(page);
    await close(page);
  });

  test('an empty catalogue: the page says how to load a layer', async () => {
    const page = await open(browser, {
      ...DESKTOP,
      drawn: false,
      before: (p) => p.route('**/collections?f=json', (route) => route.fulfill({ json: { collections: [], links: [] } })),
    });
    await page.getByText('Este servidor todavía no tiene capas.').waitFor();
    await close(page);
  });

  test('tiles, search and questions: each says so and tries again', async () => {
    const { feature, lon, lat } = await somePredio();
    const page = await open(browser, { ...DESKTOP, hash: `map=16/${lat}/${lon}` });
    for (const path of ['**/tiles/WebMercatorQuad/**', '**/search?**', '**/here?**', '**/items?**']) {
      await page.route(path, (route) => route.abort());
    }
    await page.locator('.maplibregl-canvas').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'La consulta falló' }).waitFor();
    await page.getByRole('combobox').first().fill(feature.properties.numero_predial.slice(0, 12));
    await page.getByText('La búsqueda falló.').first().waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('tab', { name: 'Lista' }).click();
    await page.getByRole('alert').filter({ hasText: 'La lista no se pudo cargar' }).first().waitFor();
    // Each step to its end: a map that still moves would ask for the list again by itself.
    for (const zoom of [15, 14, 13]) {
      const listed = page.waitForRequest('**/items?**');
      await page.getByRole('button', { name: 'Alejar' }).click();
      await page.waitForFunction((there) => location.hash.includes(`map=${there}/`), zoom);
      await listed;
    }
    await page.getByRole('alert').filter({ hasText: 'Algunas partes del mapa' }).waitFor();
    await assertAccessible(page, 'everything failed');
    await page.unrouteAll();
    await page.getByRole('alert').filter({ hasText: 'La lista' }).getByRole('button').first().click();
    await page.getByText(/en esta vista/).first().waitFor();
    forgive(page);
    await close(page);
  });
});

describe('without WebGL', { skip }, () => {
  let browser;
  before(async () => (browser = await launch(NO_GL)));
  after(() => browser?.close());

  for (const [size, options] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    test(`${size}: the page says so; search, list and details work`, async () => {
      const { feature, lon, lat } = await somePredio();
      const requested = [];
      const page = await open(browser, {
        ...options,
        drawn: false,
        // As after a reload: the address always has the position.
        hash: `map=15/${lat}/${lon}`,
        before: (p) => p.on('request', (request) => requested.push(request.url())),
      });
      await page.getByText('no tiene WebGL 2').waitFor();
      await assertAccessible(page, 'no WebGL');
      await page.getByRole('tab', { name: 'Lista' }).click();
      await page.getByText(/\d+ de \d+ en esta vista/).first().waitFor();
      await page.getByRole('combobox').first().fill(feature.properties.numero_predial);
      await page.getByRole('option').first().click();
      await page.getByRole('definition').filter({ hasText: feature.properties.numero_predial }).first().waitFor();
      assert.deepEqual(requested.filter((url) => /\/tiles\//.test(url)), []);
      await assertAccessible(page, 'no WebGL, details');
      // Chromium itself says on the console that WebGL is off.
      page.complaints = page.complaints.filter((complaint) => !/WebGL/i.test(complaint));
      await close(page);
    });
  }
});
