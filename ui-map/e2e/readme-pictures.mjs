// Takes the README's pictures anew, from a server with the full demonstration city, and its data folder, in which accounts
// are made that may edit and administer:
//
//   lindero demo --city ibague --size full
//   LINDERO_E2E_URL=http://127.0.0.1:8080/ LINDERO_DATA_DIR=… node e2e/readme-pictures.mjs [name…]
//
// pngquant gives them the 256 colours that such a map has.
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

import { close, json, launch, open, PHONE, SERVER } from './browser.mjs';
import { pixelOf } from './editing-scene.mjs';
import { pdf, photo, street } from './photo.mjs';
import { comeIn, makeAccount, skip } from './program.mjs';

/** Accounts are never deleted: another run needs others. */
const [EDITOR, ADMINISTRATOR] = [`editora_${process.pid}`, `administradora_${process.pid}`];

/** Lots around the place of the picture of editing. */
const LOTS = 'collections/predios/items?limit=200&bbox=-75.2447,4.4427,-75.2427,4.4443';
/** Public works in the town; one of the streets gets photos. */
const WORKS = 'collections/obras/items?limit=200&bbox=-75.26,4.42,-75.2,4.46';

const isStreetWork = ({ properties }) => properties.tipo === 'pavimentacion' && properties.estado === 'terminada';

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
  {
    name: 'editing',
    hash: 'map=18.4/4.4435/-75.2437&layers=predios',
    viewport: { width: 1000, height: 720 },
    account: EDITOR,
    act: async (page) => {
      const [middle, from, to] = await cornerToSnap(page, (await json(LOTS)).features);
      await page.mouse.click(...middle);
      await page.getByText('Número predial nacional').waitFor();
      const around = page.waitForResponse((answer) => /predios\/items\?.*bbox/.test(answer.url()));
      await page.getByRole('button', { name: 'Editar' }).click();
      await (await around).finished();
      // The mouse is still down: the ring shows to what the corner would snap.
      await page.mouse.move(...from);
      await page.mouse.down();
      await page.mouse.move((from[0] + to[0]) / 2, (from[1] + to[1]) / 2, { steps: 4 });
      await page.mouse.move(to[0] + 4, to[1] - 3, { steps: 4 });
    },
  },
  {
    name: 'photos',
    hash: 'map=16/4.4372/-75.2322',
    ...PHONE,
    deviceScaleFactor: 1.5,
    account: EDITOR,
    act: async (page, work) => {
      await page.getByRole('button', { name: 'Agrandar el panel' }).tap();
      const photos = page.getByRole('list', { name: 'Fotos' });
      await photos.scrollIntoViewIfNeeded();
      await page.getByRole('button', { name: 'Agregar archivos' }).scrollIntoViewIfNeeded();
      await photos.locator('img').nth(2).evaluate((image) => image.decode());
      await page.getByText(work.properties.nombre).first().waitFor();
    },
  },
  {
    name: 'administration',
    hash: 'admin/roles',
    drawn: false,
    viewport: { width: 1260, height: 610 },
    account: ADMINISTRATOR,
    act: (page) => page.getByRole('table').waitFor(),
  },
];

/**
 * The middle of a lot, one of its corners and one of its neighbours' corners, to which it can be drawn so that one of its
 * edges becomes longer: where they are on the screen.
 */
async function cornerToSnap(page, features) {
  const ring = ({ geometry: { type, coordinates } }) => (type === 'Polygon' ? coordinates[0] : coordinates[0][0]).slice(1);
  const lots = await Promise.all(features.map((feature) => Promise.all(ring(feature).map((position) => pixelOf(page, position)))));
  const { width, height } = page.viewportSize();
  const isSeen = ([x, y]) => x > 440 && x < width - 140 && y > 140 && y < height - 140;
  const away = ([x, y], [a, b]) => Math.hypot(a - x, b - y);
  let best = null;
  for (const own of lots) {
    const isPlain = own.length === 4 && own.every((corner, index) => isSeen(corner) && away(corner, own.at(index - 1)) > 40);
    if (!isPlain) continue;
    const others = lots.filter((lot) => lot !== own).flat().filter(isSeen);
    for (const [index, from] of own.entries()) {
      for (const beside of [own.at(index - 1), own[(index + 1) % 4]]) {
        for (const to of others) {
          const [edge, far] = [away(beside, from), away(from, to)];
          if (far < 30 || own.some((corner) => away(corner, to) < 8)) continue;
          const along = ((from[0] - beside[0]) * (to[0] - from[0]) + (from[1] - beside[1]) * (to[1] - from[1])) / (edge * far);
          const fit = along - Math.abs(far - 60) / 150;
          if (!best || fit > best.fit) best = { fit, own, from, to };
        }
      }
    }
  }
  const mean = (axis) => best.own.reduce((sum, corner) => sum + corner[axis], 0) / 4;
  return [[mean(0), mean(1)], best.from, best.to];
}

/** Adds photos and a document to a feature, as the account of the page. Returns what takes them away again. */
async function attach(page, browser, collection, id) {
  const { request } = page.context();
  const { csrf } = await (await request.get(new URL('session', SERVER).href)).json();
  const headers = { 'x-csrf-token': csrf };
  const url = new URL(`collections/${collection}/items/${id}/attachments`, SERVER).href;
  const size = { width: 1600, height: 1200 };
  const files = [
    [await photo(browser, 'calzada-1.jpg', street, { ...size, seed: 3 }), 'Antes de la obra'],
    [await photo(browser, 'calzada-2.jpg', street, { ...size, seed: 11 }), 'Desde el andén'],
    [await photo(browser, 'calzada-3.jpg', street, { ...size, seed: 20 }), 'Terminada'],
    [await pdf(browser, 'acta-de-inicio.pdf', 'Acta de inicio'), 'Acta de inicio'],
  ];
  const added = [];
  for (const [file, caption] of files) {
    const answer = await request.post(url, { headers, multipart: { caption, file } });
    if (answer.status() !== 201) throw new Error(`${file.name}: ${answer.status()} ${await answer.text()}`);
    added.push((await answer.json()).id);
  }
  return async () => {
    for (const attachment of added) await request.delete(`${url}/${attachment}`, { headers });
  };
}

/** A picture that is the same as the one before it: texts come and panels move gently. */
async function still(page) {
  let last;
  for (let now = await page.screenshot(); !last?.equals(now); now = await page.screenshot()) last = now;
  return last;
}

if (skip) throw new Error(skip);
const wanted = process.argv.slice(2);
const browser = await launch();
try {
  await makeAccount(EDITOR, 'editor');
  await makeAccount(ADMINISTRATOR, 'administrator');
  for (const { name, act, account, hash, ...options } of PICTURES) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    const work = name === 'photos' ? (await json(WORKS)).features.find(isStreetWork) : null;
    let tidy = null;
    const page = await open(browser, {
      ...options,
      hash: work ? `${hash}&layers=obras&sel=obras/${work.id}` : hash,
      colorScheme: 'light',
      reducedMotion: 'reduce',
      before: async (page) => {
        if (account) await comeIn(account)(page);
        if (work) tidy = await attach(page, browser, 'obras', work.id);
      },
    });
    await act?.(page, work);
    const target = fileURLToPath(new URL(`../../docs/src/images/${name}.png`, import.meta.url));
    execFileSync('pngquant', ['--strip', '--nofs', '--speed', '1', '--force', '--output', target, '256', '-'], { input: await still(page) });
    await tidy?.();
    await close(page);
    console.log(name);
  }
} finally {
  await browser.close();
}
