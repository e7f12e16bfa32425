import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

import { chromium } from 'playwright-core';

/** The server under test, with the demonstration city loaded: `http://127.0.0.1:8080/`. */
export const SERVER = process.env.LINDERO_E2E_URL?.replace(/\/?$/, '/');

/** For `test(..., { skip })`: why there is nothing to test, or false. */
export const skip = SERVER ? false : 'LINDERO_E2E_URL does not name a running server';

export const DESKTOP = { viewport: { width: 1280, height: 800 } };
export const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 };

const SOFTWARE_GL = ['--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader'];
/** What keeps Chromium from having any WebGL. */
export const NO_GL = ['--disable-gpu', '--disable-software-rasterizer', '--disable-3d-apis'];

export const launch = (gl = SOFTWARE_GL) =>
  chromium.launch({
    executablePath: process.env.LINDERO_CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-background-networking', ...gl],
  });

/**
 * Opens the map in a fresh profile. `page.complaints` gathers what must stay empty: requests to
 * other hosts, errors on the console, violations of the content security policy, exceptions.
 */
export async function open(browser, { hash = '', drawn = true, before, server = SERVER, ...options } = {}) {
  const context = await browser.newContext({ locale: 'es-CO', colorScheme: 'light', ...options });
  const page = await context.newPage();
  page.complaints = [];
  const own = new URL(server).host;
  page.on('request', (request) => {
    const { host, protocol } = new URL(request.url());
    if (/^(https?|wss?):$/.test(protocol) && host !== own) page.complaints.push(`request to ${request.url()}`);
  });
  page.on('console', (message) => {
    if (message.type() === 'error') page.complaints.push(`console: ${message.text()}`);
  });
  page.on('pageerror', (error) => page.complaints.push(`exception: ${error.message}`));
  await before?.(page);
  await page.goto(`${server}#${hash}`);
  if (drawn) await page.locator('[data-status=drawn]').waitFor({ timeout: 60_000 });
  return page;
}

export async function close(page) {
  const { complaints } = page;
  await page.context().close();
  assert.deepEqual(complaints, []);
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Runs axe with every rule of WCAG 2.1 A and AA and its best practices; fails with what it found. */
export async function assertAccessible(page, state) {
  if (!(await page.evaluate(() => 'axe' in globalThis))) await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    globalThis.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'],
    }),
  );
  const found = violations.map(({ id, help, nodes }) => ({
    id,
    help,
    nodes: nodes.map(({ html, failureSummary }) => `${html.slice(0, 160)} :: ${failureSummary}`),
  }));
  assert.deepEqual(found, [], `axe, ${state}`);
}

export async function json(path) {
  const response = await fetch(new URL(path, SERVER), { headers: { accept: 'application/json' } });
  assert.equal(response.status, 200, path);
  return response.json();
}

/** The catalogue's collections by id. */
export async function catalogue() {
  const { collections } = await json('collections?f=json');
  return new Map(collections.map((collection) => [collection.id, collection]));
}

/** Where the city is: the middle of what `manzanas` (or the whole municipality) covers. */
export async function cityCentre() {
  const blocks = (await catalogue()).get('manzanas')?.extent?.spatial?.bbox?.[0];
  const landing = await json('?f=json');
  const [west, south, east, north] = blocks ?? landing.lindero.municipalities[0].extent;
  return { lon: (west + east) / 2, lat: (south + north) / 2 };
}

/** A place in the middle of a predio, and that predio. */
export async function somePredio() {
  const { lon, lat } = await cityCentre();
  const near = 0.01;
  const { features } = await json(
    `collections/predios/items?limit=50&bbox=${[lon - near, lat - near, lon + near, lat + near].join(',')}`,
  ).then((items) => (items.features.length > 0 ? items : json('collections/predios/items?limit=50')));
  const feature = features[Math.floor(features.length / 2)];
  const { coordinates, type } = feature.geometry;
  const ring = type === 'Polygon' ? coordinates[0] : coordinates[0][0];
  const corners = ring.slice(0, -1);
  const mean = (axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / corners.length;
  return { feature, lon: mean(0), lat: mean(1) };
}
