import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { catalogue, cityCentre, close, DESKTOP, launch, open, PHONE, skip, somePredio } from './browser.mjs';

const PREDIOS = /^Predios( \(\d+\))?$/;

describe('the web map', { skip }, () => {
  let browser;
  before(async () => (browser = await launch()));
  after(() => browser?.close());

  for (const [size, options] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    test(`${size}: layers are switched, found, made fainter and explained`, async () => {
      const page = await open(browser, options);
      await page.getByRole('tab', { name: 'Capas' }).click();
      const hazards = page.getByRole('switch', { name: 'Zonas de amenaza', exact: false }).first();
      await page.getByRole('searchbox', { name: 'Filtrar las capas' }).fill('AMENAZA');
      const tile = page.waitForResponse((r) => /collections\/amenazas\/tiles\//.test(r.url()));
      await hazards.check();
      assert.ok((await tile).ok());
      await page.getByRole('list', { name: 'Leyenda' }).getByText('Alta', { exact: true }).waitFor();
      await page.waitForURL(/layers=amenazas(&|$)/);

      await page.getByRole('slider', { name: /^Opacidad de/ }).first().fill('40');
      await page.waitForURL(/layers=amenazas:40/);

      await page.getByRole('button', { name: /^Detalles de/ }).first().click();
      await page.getByText('Custodio').first().waitFor();
      await hazards.uncheck();
      await page.waitForFunction(() => !location.hash.includes('layers='));

      await page.getByRole('searchbox', { name: 'Filtrar las capas' }).fill('zzzz');
      await page.getByText('Ninguna capa se llama así.').waitFor();
      await close(page);
    });

    test(`${size}: a click says what is there`, async () => {
      const { feature, lon, lat } = await somePredio();
      const page = await open(browser, { ...options, hash: `map=17.5/${lat}/${lon}` });
      const box = await page.locator('.maplibregl-canvas').boundingBox();
      // On a wide window the panel takes 384 px of the left: the map's centre is that of the rest.
      const covered = size === 'desktop' ? 384 : 0;
      await page.mouse.click(covered + (box.width - covered) / 2, box.height / 2);
      const predios = page.getByRole('region', { name: PREDIOS });
      await page.waitForURL(/sel=/);
      // Something smaller may lie on the predio, and be what is opened.
      const card = predios.getByRole('button').first();
      if ((await card.getAttribute('aria-expanded')) === 'false') await card.click();
      await predios.getByText(feature.properties.numero_predial).first().waitFor();
      await predios.getByText('Número predial').first().waitFor();
      await close(page);
    });

    test(`${size}: a predio is found by its number, with the keyboard alone`, async () => {
      const { feature } = await somePredio();
      const page = await open(browser, options);
      const search = page.getByRole('combobox', { name: /^Buscar predio/ });
      await search.focus();
      await page.keyboard.type(feature.properties.numero_predial);
      await page.getByRole('option', { name: feature.properties.numero_predial }).first().waitFor();
      await page.keyboard.press('ArrowDown');
      assert.ok(await search.getAttribute('aria-activedescendant'));
      await page.keyboard.press('Enter');
      await page.waitForURL(/sel=predios\//);
      await page.getByRole('region', { name: PREDIOS }).getByText(feature.properties.numero_predial).first().waitFor();
      await page.waitForFunction(() => Number(location.hash.match(/map=([\d.]+)/)?.[1]) > 14);
      await close(page);
    });

    test(`${size}: coordinates are found, nonsense is not`, async () => {
      // Well away from where the map opens: it has to go there.
      const centre = await cityCentre();
      const [lon, lat] = [centre.lon + 0.06, centre.lat + 0.05];
      const page = await open(browser, options);
      const search = page.getByRole('combobox', { name: /^Buscar predio/ });
      await search.fill('qwxyzzy');
      await page.getByText('Nada encontrado').first().waitFor();
      await search.fill(`${lat.toFixed(4)}, ${lon.toFixed(4)}`);
      await page.getByRole('option').first().click();
      await page.waitForFunction(
        ([y, x]) => {
          const [, wantedY, wantedX] = location.hash.match(/map=[\d.]+\/([-\d.]+)\/([-\d.]+)/) ?? [];
          return Math.abs(wantedY - y) < 0.01 && Math.abs(wantedX - x) < 0.01;
        },
        [lat, lon],
      );
      await close(page);
    });

    test(`${size}: Spanish first, English at a button`, async () => {
      const page = await open(browser, options);
      assert.equal(await page.evaluate(() => document.documentElement.lang), 'es');
      await page.getByRole('button', { name: 'English' }).click();
      await page.getByRole('tab', { name: 'Layers' }).waitFor();
      assert.equal(await page.evaluate(() => document.documentElement.lang), 'en');
      assert.match(await page.locator('.maplibregl-canvas').getAttribute('aria-label'), /^Map\./);
      await page.waitForURL(/lang=en/);
      await page.reload();
      await page.getByRole('tab', { name: 'Layers' }).waitFor();
      await close(page);
    });
  }

  test('a phone: the shortcut leads into the closed panel', async () => {
    const page = await open(browser, PHONE);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.getByRole('link', { name: 'Saltar al panel de capas y datos' }).press('Enter');
    await page.waitForFunction(() => document.activeElement?.id === 'panel');
    await close(page);
  });

  test('what is typed on after a search is what Enter looks for', async () => {
    const page = await open(browser, DESKTOP);
    const search = page.getByRole('combobox', { name: /^Buscar predio/ });
    await search.fill('calle');
    await page.getByRole('option').first().waitFor();
    await search.pressSequentially(' 5 qwxyzzy', { delay: 0 });
    await search.press('Enter');
    await page.getByText('Nada encontrado para «calle 5 qwxyzzy»').first().waitFor();
    assert.ok(!(await page.evaluate(() => location.hash)).includes('sel='));
    await close(page);
  });

  test('an English browser is spoken to in English', async () => {
    const page = await open(browser, { ...DESKTOP, locale: 'en-US' });
    await page.getByRole('tab', { name: 'Layers' }).waitFor();
    await close(page);
  });

  test('the list says what the view shows, and opens it', async () => {
    const { lon, lat } = await cityCentre();
    const page = await open(browser, { ...DESKTOP, hash: `map=12/${lat}/${lon}&layers=zonas_wifi` });
    await page.getByRole('tab', { name: 'Lista' }).click();
    const zones = page.getByRole('region', { name: (await catalogue()).get('zonas_wifi').lindero.title.es });
    await zones.getByText(/\d+ de \d+ en esta vista/).waitFor();
    const first = zones.getByRole('listitem').first().getByRole('button');
    const name = (await first.innerText()).split('\n')[0];
    await first.click();
    await page.waitForURL(/sel=zonas_wifi\//);
    await page.getByRole('button', { name, expanded: true }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.id), 'panel', 'the keyboard stays in the panel');
    await close(page);
  });

  test('a permalink brings back position, layers, opacity, selection, language and theme', async () => {
    const { feature, lon, lat } = await somePredio();
    const hash = `map=16.5/${lat.toFixed(5)}/${lon.toFixed(5)}&layers=amenazas:60,zonas_wifi&sel=predios/${feature.id}&lang=en&theme=dark`;
    const page = await open(browser, { ...DESKTOP, hash });
    await page.getByText(feature.properties.numero_predial).first().waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark');
    await page.getByRole('tab', { name: 'Layers' }).click();
    await page.getByText('2 switched on').waitFor();
    assert.equal(await page.getByRole('slider', { name: /^Opacity of/ }).first().inputValue(), '60');
    const [, zoom, y, x] = (await page.evaluate(() => location.hash)).match(/^#map=([\d.]+)\/([-\d.]+)\/([-\d.]+)/);
    assert.ok(Number(zoom) === 16.5 && Math.abs(y - lat) < 1e-4 && Math.abs(x - lon) < 1e-4, `${zoom}/${y}/${x}`);
    await close(page);
  });

  test('the map is moved and asked with the keyboard', async () => {
    const { lon, lat } = await somePredio();
    const page = await open(browser, { ...DESKTOP, hash: `map=16/${lat}/${lon}` });
    const before_ = await page.evaluate(() => location.hash);
    await page.locator('.maplibregl-canvas').focus();
    await page.keyboard.press('ArrowRight');
    await page.waitForFunction((hash) => location.hash !== hash, before_);
    await page.keyboard.press('Enter');
    await page.getByText(/^Punto/).waitFor();
    await page.getByRole('status').filter({ hasText: /elemento|Ninguna capa/ }).waitFor({ state: 'attached' });
    await close(page);
  });
});
