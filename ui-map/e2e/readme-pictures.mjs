// Takes the README's pictures anew, from a server with the full demonstration city:
//
//   lindero demo --city ibague --size full
//   LINDERO_E2E_URL=http://127.0.0.1:8080/ node e2e/readme-pictures.mjs
//
// pngquant gives them the 256 colours that such a map has.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { close, launch, open, PHONE, skip } from './browser.mjs';

const PICTURES = [
  { name: 'city', hash: 'map=13.95/4.4372/-75.2322', viewport: { width: 1200, height: 720 } },
  {
    name: 'here',
    hash: 'map=17.2/4.4435/-75.2437',
    viewport: { width: 1000, height: 720 },
    // The view's centre is that of what the panel leaves free.
    act: async (page) => {
      await page.mouse.click(698, 360);
      await page.getByText('Número predial nacional').waitFor();
      await page.mouse.move(698, 40);
    },
  },
  {
    name: 'phone',
    hash: 'map=13.6/4.4352/-75.2335&layers=zonas_wifi',
    ...PHONE,
    deviceScaleFactor: 1.5,
    act: async (page) => {
      await page.getByRole('tab', { name: 'Lista' }).tap();
      await page.getByRole('tabpanel').getByText('Zona WiFi').first().waitFor();
      await page.mouse.move(195, 300);
    },
  },
];

/** A picture that is the same as the one before it: texts come and panels move gently. */
async function still(page) {
  let last;
  for (let now = await page.screenshot(); !last?.equals(now); now = await page.screenshot()) last = now;
  return last;
}

if (skip) throw new Error(skip);
const browser = await launch();
try {
  for (const { name, act, ...options } of PICTURES) {
    const page = await open(browser, { ...options, colorScheme: 'light', reducedMotion: 'reduce' });
    await act?.(page);
    const target = fileURLToPath(new URL(`../../docs/src/images/${name}.png`, import.meta.url));
    execFileSync('pngquant', ['--strip', '--nofs', '--speed', '1', '--force', '--output', target, '256', '-'], { input: await still(page) });
    await close(page);
    console.log(name);
  }
} finally {
  await browser.close();
}
