import { after, before, describe, test } from 'node:test';

import { assertAccessible, close, DESKTOP, launch, open, PHONE, skip, somePredio } from './browser.mjs';

describe('axe finds nothing', { skip }, () => {
  let browser;
  before(async () => (browser = await launch()));
  after(() => browser?.close());

  for (const colorScheme of ['light', 'dark']) {
    for (const [size, options] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
      test(`${size}, ${colorScheme}`, async () => {
        const { lon, lat } = await somePredio();
        const page = await open(browser, { ...options, colorScheme, hash: `map=17/${lat}/${lon}` });
        await assertAccessible(page, 'first view');

        await page.getByRole('tab', { name: 'Capas' }).click();
        await page.getByRole('switch', { name: /Zonas de amenaza/ }).first().check();
        await page.getByRole('button', { name: /^Detalles de/ }).first().click();
        await assertAccessible(page, 'layers, one on, its details open');

        await page.getByRole('tab', { name: 'Lista' }).click();
        await page.getByText(/en esta vista|Nada de esta capa/).first().waitFor();
        await assertAccessible(page, 'list');

        await page.locator('.maplibregl-canvas').focus();
        await page.keyboard.press('Enter');
        await page.getByRole('heading', { name: /^Predios/ }).waitFor();
        await assertAccessible(page, 'what is here');

        const search = page.getByRole('combobox', { name: /^Buscar/ });
        await search.fill('calle');
        await page.getByRole('option').first().waitFor();
        await page.keyboard.press('ArrowDown');
        await assertAccessible(page, 'search results');
        await search.fill('qwxyzzy');
        await page.getByText('Nada encontrado').first().waitFor();
        await assertAccessible(page, 'nothing found');
        await close(page);
      });
    }
  }
});
