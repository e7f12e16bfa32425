import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { cityCentre, close, DESKTOP, launch, open, PHONE, skip } from './browser.mjs';

const FOLDER = process.env.LINDERO_E2E_SCREENSHOTS;

describe('pictures to look at', { skip: skip || (FOLDER ? false : 'LINDERO_E2E_SCREENSHOTS does not name a folder') }, () => {
  let browser;
  before(async () => {
    await mkdir(FOLDER, { recursive: true });
    browser = await launch();
  });
  after(() => browser?.close());

  for (const colorScheme of ['light', 'dark']) {
    for (const zoom of [10, 13, 16, 18]) {
      test(`z${zoom}, ${colorScheme}`, async () => {
        const { lon, lat } = await cityCentre();
        const page = await open(browser, { ...DESKTOP, colorScheme, hash: `map=${zoom}/${lat}/${lon}` });
        await page.screenshot({ path: join(FOLDER, `z${zoom}-${colorScheme}.png`) });
        await close(page);
      });
    }
    test(`phone, ${colorScheme}`, async () => {
      const page = await open(browser, { ...PHONE, colorScheme });
      await page.screenshot({ path: join(FOLDER, `phone-${colorScheme}.png`) });
      await close(page);
    });
  }
});
