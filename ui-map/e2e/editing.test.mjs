import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { skip } from './program.mjs';
import { assertAccessible, close, DESKTOP, launch, open, PHONE } from './browser.mjs';
import { drag, GAP, makeScene, pixelOf, SIDE, SOUTH, WEST } from './editing-scene.mjs';

const MIDDLE = [WEST + SIDE * 1.5, SOUTH + SIDE / 2];
const FOLDER = process.env.LINDERO_E2E_SCREENSHOTS;
const ring = ({ geometry }) => (geometry.type === 'Polygon' ? geometry.coordinates[0] : geometry.coordinates[0][0]);
const has = (corners, corner) => corners.some(([x, y]) => x === corner[0] && y === corner[1]);
const area = (feature) => ring(feature).slice(0, -1).reduce((sum, [x, y], i) => sum + (x * ring(feature)[i + 1][1] - ring(feature)[i + 1][0] * y) / 2, 0);
const PHONE_SHEET = [0, Math.round(PHONE.viewport.height * 0.46)];

describe('editing on the map', { skip }, () => {
  let browser;
  let scene;
  before(async () => {
    if (FOLDER) await mkdir(FOLDER, { recursive: true });
    scene = await makeScene();
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await scene?.end();
  });

  const picture = (page, name) => (FOLDER ? page.screenshot({ path: join(FOLDER, `editing-${name}.png`) }) : null);
  const button = (page, name) => page.getByRole('button', { name });

  /** The map of the account, near the lots, with nothing around them. */
  async function look(layer, id, { zoom = 18, ...options } = DESKTOP) {
    const selected = id === undefined ? '' : `&sel=${layer}/${id}`;
    return open(browser, {
      ...(options.viewport ? options : DESKTOP),
      hash: `map=${zoom}/${MIDDLE[1]}/${MIDDLE[0]}&layers=${layer}&base=0${selected}`,
      before: scene.comeIn,
    });
  }

  /** Edits a lot: its neighbours are known, and so can attract. */
  async function edit(code, options) {
    const { id } = await scene.lot(code);
    const page = await look('lotes_prueba', id, options);
    const around = page.waitForResponse((answer) => /lotes_prueba\/items\?.*bbox/.test(answer.url()));
    await button(page, 'Editar').click();
    await page.getByRole('heading', { name: code }).waitFor();
    await (await around).finished();
    return page;
  }

  async function save(page, reason) {
    if (reason) await page.getByLabel('Motivo del cambio').fill(reason);
    await button(page, 'Guardar').click();
    await page.getByText('Sin cambios por guardar.').waitFor();
  }

  /** Expected refusals are on the browser's console too. */
  const forgive = (page, status) => (page.complaints = page.complaints.filter((complaint) => !complaint.includes(String(status))));

  test('is offered to nobody who may not', async () => {
    const { id } = await scene.lot('L-1');
    const page = await open(browser, { ...DESKTOP, hash: `map=18/${MIDDLE[1]}/${MIDDLE[0]}&sel=lotes_prueba/${id}` });
    await page.getByText('Vivienda').first().waitFor();
    assert.equal(await button(page, 'Editar').count(), 0);
    await close(page);
  });

  test('a vertex that is dragged near a neighbour’s becomes the very same, and the others stay', async () => {
    const [second, third] = [await scene.lot('L-2'), await scene.lot('L-3')];
    const page = await edit('L-3');
    await assertAccessible(page, 'editing');
    const north = SOUTH + SIDE;
    const corner = [WEST + 2 * SIDE + GAP, north];
    const target = await pixelOf(page, [WEST + 2 * SIDE, north]);

    // Alt lets it lie where it is put.
    await drag(page, await pixelOf(page, corner), [target[0] + 6, target[1] - 4], { alt: true });
    await page.getByText('1 elemento sin guardar').waitFor();
    await page.locator('.maplibregl-canvas').focus();
    await page.keyboard.press('Control+z');
    await page.getByText('Sin cambios por guardar.').waitFor();

    await drag(page, await pixelOf(page, corner), [target[0] + 6, target[1] - 4]);
    await page.getByText('1 elemento sin guardar').waitFor();
    await picture(page, 'snapped');
    await save(page, 'Lindero común');

    const [mine, neighbour] = [ring(await scene.lot('L-3')), ring(second)];
    const shared = mine.filter((position) => has(neighbour, position));
    assert.ok(shared.length > 0, `${JSON.stringify(mine)} shares no vertex with ${JSON.stringify(neighbour)}`);
    const old = ring(third).filter(([x, y]) => !(Math.abs(x - corner[0]) < 1e-7 && Math.abs(y - corner[1]) < 1e-7));
    for (const position of old) assert.ok(has(mine, position), `${position} is no more in ${JSON.stringify(mine)}`);
    await button(page, 'Terminar').click();
    await page.getByRole('tab', { name: '¿Qué hay aquí?' }).waitFor();
    await close(page);
  });

  test('a vertex is added in the middle of an edge, and taken away', async () => {
    const page = await edit('L-1');
    const count = () => page.getByText(/^Coordenadas \((\d+) vértices\)$/).innerText();
    const top = [WEST + SIDE / 2, SOUTH + SIDE];
    const above = await pixelOf(page, [top[0], top[1] + SIDE / 4]);
    await drag(page, await pixelOf(page, top), above);
    await page.getByText('Coordenadas (5 vértices)').waitFor();
    // Pressed only, it is taken.
    await page.mouse.click(...above);
    await button(page, 'Quitar el vértice').click();
    await page.getByText('Coordenadas (4 vértices)').waitFor();
    await button(page, 'Deshacer').click();
    await page.getByText('Coordenadas (5 vértices)').waitFor();
    await button(page, 'Deshacer').click();
    await page.getByText('Sin cambios por guardar.').waitFor();
    await button(page, 'Rehacer').click();
    assert.equal(await count(), 'Coordenadas (5 vértices)');
    // What is not saved is not lost without a question.
    await button(page, 'Cancelar').click();
    await page.getByText('¿Descartar lo que no se ha guardado?').waitFor();
    await assertAccessible(page, 'the question before leaving');
    await button(page, 'Seguir editando').click();
    await button(page, 'Cancelar').click();
    await button(page, 'Descartar').click();
    await page.getByRole('tab', { name: '¿Qué hay aquí?' }).waitFor();
    await close(page);
  });

  test('a lot is split, and merged again', async () => {
    const whole = await scene.lot('L-1');
    const page = await edit('L-1');
    const middle = WEST + SIDE / 2;
    await button(page, 'Dividir el elemento').click();
    await page.mouse.click(...(await pixelOf(page, [middle, SOUTH + SIDE * 1.4])));
    await page.mouse.dblclick(...(await pixelOf(page, [middle, SOUTH - SIDE * 0.4])));
    await page.getByText('2 elementos sin guardar').waitFor();
    await picture(page, 'split');
    // The other half needs a code of its own, which the server says at its field.
    const half = await pixelOf(page, [WEST + SIDE * 0.75, SOUTH + SIDE / 2]);
    const code = page.getByLabel(/^Código/);
    await page.mouse.click(...half);
    // Either half may be the new one; the panel follows the map by a moment.
    const fresh = page.getByRole('heading', { name: 'Elemento nuevo' });
    const isFresh = await fresh.waitFor({ timeout: 3000 }).then(() => true, () => false);
    if (!isFresh) await page.mouse.click(...(await pixelOf(page, [WEST + SIDE * 0.25, SOUTH + SIDE / 2])));
    await fresh.waitFor();
    assert.equal(await code.inputValue(), '');
    await button(page, 'Guardar').click();
    await page.getByText('No se guardó: 1 dato por corregir.').first().waitFor();
    forgive(page, 422);
    assert.equal(await code.getAttribute('aria-invalid'), 'true');
    await assertAccessible(page, 'a value to correct');
    await picture(page, 'violation');
    await code.fill('L-2');
    await button(page, 'Guardar').click();
    await page.locator('[aria-invalid=true]').waitFor();
    forgive(page, 422);
    await code.fill('L-1B');
    await save(page, 'Subdivisión');

    const [one, other] = [await scene.lot('L-1'), await scene.lot('L-1B')];
    assert.equal(one.id, whole.id);
    assert.equal(ring(one).slice(0, -1).filter((corner) => has(ring(other), corner)).length, 2, 'both have the cut’s ends exactly');
    assert.ok(Math.abs(area(one) + area(other) - area(whole)) < 1e-12);

    // The half that was filled in is among them already.
    await button(page, 'Unir elementos').click();
    const mean = (axis) => ring(one).slice(1).reduce((sum, corner) => sum + corner[axis], 0) / (ring(one).length - 1);
    await page.mouse.click(...(await pixelOf(page, [mean(0), mean(1)])));
    await button(page, 'Unir 2 elementos').click();
    await save(page);
    const lots = await scene.items('lotes_prueba');
    assert.equal(lots.length, 3);
    assert.ok(lots.some((lot) => Math.abs(area(lot) - area(whole)) < 1e-12));
    await button(page, 'Terminar').click();
    await close(page);
  });

  test('a lot is drawn along its neighbour, moved as a whole, and deleted', async () => {
    const page = await look('lotes_prueba');
    await page.getByRole('tab', { name: 'Capas' }).click();
    await page.getByLabel('Filtrar las capas').fill('Lotes de prueba');
    const around = page.waitForResponse((answer) => /lotes_prueba\/items\?.*bbox/.test(answer.url()));
    await button(page, 'Agregar un elemento a Lotes de prueba').click();
    await (await around).finished();
    const north = SOUTH + SIDE;
    const corners = [[WEST, north], [WEST + SIDE, north], [WEST + SIDE, north + SIDE / 2]];
    for (const [index, corner] of corners.entries()) {
      const [x, y] = await pixelOf(page, corner);
      await page.mouse.click(x + (index < 2 ? 4 : 0), y - 3);
    }
    await button(page, 'Terminar el trazo').click();
    await page.getByRole('heading', { name: 'Elemento nuevo' }).waitFor();
    await page.getByLabel(/^Código/).fill('L-4');
    await page.getByLabel('Uso').selectOption('Comercio');
    await page.getByLabel(/^Pisos/).fill('99');
    await page.getByText('Está fuera de lo permitido.').waitFor();
    await page.getByLabel(/^Pisos/).fill('3');
    await save(page, 'Lote nuevo');
    const made = await scene.lot('L-4');
    assert.deepEqual([made.properties.uso, made.properties.pisos], ['comercio', 3]);
    const below = ring(await scene.lot('L-2'));
    assert.ok(ring(made).some((corner) => has(below, corner)), 'it begins at its neighbour’s corner');

    await button(page, 'Mover todo el elemento').click();
    const inside = await pixelOf(page, [WEST + SIDE * 0.8, north + SIDE / 6]);
    await drag(page, inside, [inside[0], inside[1] - 120], { alt: true });
    await save(page);
    const moved = await scene.lot('L-4');
    const by = ring(moved)[0][1] - ring(made)[0][1];
    assert.ok(by > SIDE * 0.8, `moved by ${by}`);
    for (const [index, [lon, lat]] of ring(moved).entries()) {
      assert.ok(Math.abs(lon - ring(made)[index][0]) < 2e-8 && Math.abs(lat - ring(made)[index][1] - by) < 2e-8, 'as a whole');
    }
    await button(page, 'Borrar el elemento').click();
    await save(page);
    assert.equal(await scene.lot('L-4'), undefined);
    await button(page, 'Terminar').click();
    await close(page);
  });

  test('a conflict shows both versions, and saves what is chosen of them', async () => {
    const page = await edit('L-2');
    await page.getByLabel(/^Pisos/).fill('7');
    await page.getByLabel('Uso').selectOption('Comercio');
    const { id } = await scene.lot('L-2');
    await scene.change(id, { pisos: 9 });
    await button(page, 'Guardar').click();
    await page.getByRole('heading', { name: 'Alguien cambió este elemento mientras usted lo editaba' }).waitFor();
    forgive(page, 412);
    await assertAccessible(page, 'a conflict');
    await picture(page, 'conflict');
    await page.getByRole('radio', { name: 'Pisos: La actual: 9' }).check();
    assert.ok(await page.getByRole('radio', { name: 'Uso: La mía: Comercio' }).isChecked());
    await button(page, 'Guardar lo elegido').click();
    await page.getByText('Sin cambios por guardar.').waitFor();
    const { properties } = await scene.lot('L-2');
    assert.deepEqual([properties.pisos, properties.uso], [9, 'comercio']);
    await button(page, 'Terminar').click();
    await close(page);
  });

  test('the history tells who changed what and why, and a version comes back', async () => {
    const { id } = await scene.lot('L-3');
    const page = await look('lotes_prueba', id);
    await button(page, 'Historial').click();
    await page.getByRole('heading', { name: 'Historial de L-3' }).waitFor();
    await page.getByText('«Lindero común»').waitFor();
    await page.getByText('La geometría cambió: véala en el mapa.').waitFor();
    await assertAccessible(page, 'the history');
    await picture(page, 'history');
    const before_ = ring((await scene.ask(`collections/lotes_prueba/items/${id}/history`)).body.versions.at(-1).feature);
    await button(page, 'Volver a esta versión: Versión 1').click();
    await page.getByLabel('Motivo').fill('Estaba bien');
    await button(page, 'Volver a la versión 1').click();
    await page.getByText('El elemento volvió a la versión 1.').first().waitFor();
    assert.deepEqual(ring(await scene.lot('L-3')), before_);
    await page.getByText('«Estaba bien»').waitFor();
    await button(page, 'Volver al elemento').click();
    await page.getByRole('tab', { name: '¿Qué hay aquí?' }).waitFor();
    await close(page);
  });

  test('the map shows what was at a moment, and edits nothing then', async () => {
    const { id } = await scene.lot('L-2');
    const { versions } = (await scene.ask(`collections/lotes_prueba/items/${id}/history`)).body;
    // Moments are in milliseconds here, versions in microseconds.
    const moment = new Date(Date.parse(versions.at(-1).until) - 1).toISOString();
    const page = await look('lotes_prueba', id);
    const tiles = page.waitForResponse((answer) => answer.url().includes(`datetime=${encodeURIComponent(moment)}`) && answer.url().includes('/tiles/'));
    await page.evaluate((at) => (location.hash += `&at=${at}`), moment);
    assert.ok((await tiles).status() < 300);
    await page.getByText('Las capas con historial se ven como estaban').waitFor();
    await page.getByText('L-2').first().waitFor();
    assert.equal(await button(page, 'Editar').count(), 0);
    await assertAccessible(page, 'the past');
    await picture(page, 'past');
    await button(page, 'Volver a hoy').click();
    await page.waitForURL((url) => !url.hash.includes('at='));
    await page.getByRole('tab', { name: 'Capas' }).click();
    await page.getByText('Ver el mapa como estaba').click();
    const field = page.getByLabel('El día y la hora');
    await field.fill(await field.getAttribute('min'));
    await page.getByRole('button', { name: 'Ver', exact: true }).click();
    await page.getByText('Las capas con historial se ven como estaban').waitFor();
    // The lots came after the first of all histories.
    await page.getByRole('tab', { name: 'Lista' }).click();
    await page.getByText('Nada de esta capa en la vista actual.').waitFor();
    await close(page);
  });

  test('a phone adds a point with its attributes, and moves it', async () => {
    const page = await look('arboles_prueba', undefined, PHONE);
    await page.getByRole('tab', { name: 'Capas' }).click();
    await page.getByLabel('Filtrar las capas').fill('Árboles de prueba');
    await button(page, 'Agregar un elemento a Árboles de prueba').click();
    await page.getByText('Toque el mapa donde está el punto.').waitFor();
    await picture(page, 'phone-tools');
    await page.touchscreen.tap(195, 260);
    await page.getByRole('heading', { name: 'Elemento nuevo' }).waitFor();
    await page.getByLabel(/^Especie/).fill('Guayacán');
    await assertAccessible(page, 'a new point on a phone');
    await save(page);
    await picture(page, 'phone-saved');
    const planted = async () => (await scene.items('arboles_prueba')).find(({ properties }) => properties.especie === 'Guayacán');
    const position = ({ geometry }) => (geometry.type === 'Point' ? geometry.coordinates : geometry.coordinates[0]);
    const was = position(await planted());
    // A finger drags it.
    const session = await page.context().newCDPSession(page);
    const [x, y] = await pixelOf(page, was, PHONE_SHEET);
    const touch = (type, ...points) => session.send('Input.dispatchTouchEvent', { type, touchPoints: points.map(([px, py]) => ({ x: px, y: py })) });
    await touch('touchStart', [x, y]);
    for (const part of [0.25, 0.5, 0.75, 1]) await touch('touchMove', [x + 60 * part, y + 20 * part]);
    await touch('touchEnd');
    await page.getByText('1 elemento sin guardar').waitFor();
    await save(page);
    const now = position(await planted());
    assert.ok(now[0] - was[0] > 0.0001 && now[1] < was[1], `${was} to ${now}`);
    await button(page, 'Terminar').click();
    await close(page);
  });

  test('the keyboard alone adds, moves and saves', async () => {
    const page = await look('arboles_prueba');
    await page.getByLabel('Filtrar las capas').fill('Árboles de prueba');
    await button(page, 'Agregar un elemento a Árboles de prueba').press('Enter');
    await page.getByText('Toque el mapa donde está el punto.').waitFor();
    await page.locator('.maplibregl-canvas').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Elemento nuevo' }).waitFor();
    // What is typed is text, whatever it looks like.
    const species = 'Ceiba <img src=x onerror="document.title=1">';
    await page.getByLabel(/^Especie/).fill(species);
    const latitude = page.getByLabel(/Latitud, Longitud: Latitud$/);
    const was = Number(await latitude.inputValue());
    await page.locator('.maplibregl-canvas').focus();
    await page.keyboard.press('Enter');
    await page.getByRole('status').filter({ hasText: 'Vértice tomado' }).waitFor({ state: 'attached' });
    const hash = await page.evaluate(() => location.hash);
    await page.keyboard.press('ArrowUp');
    await page.waitForFunction((old) => location.hash !== old, hash);
    await page.keyboard.press('Enter');
    await page.waitForFunction(([old]) => Number(document.querySelector('fieldset input').value) > old, [was]);
    await page.keyboard.press('Control+s');
    await page.getByText('Sin cambios por guardar.').waitFor();
    await page.getByRole('heading', { name: species }).waitFor();
    assert.ok((await scene.items('arboles_prueba')).some(({ properties }) => properties.especie === species));
    await button(page, 'Terminar').click();
    await button(page, species).waitFor();
    await close(page);
  });
});
