import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { skip } from './program.mjs';
import { assertAccessible, close, DESKTOP, launch, open, PHONE } from './browser.mjs';
import { makeScene, SIDE, SOUTH, WEST } from './editing-scene.mjs';
import { halves, pdf, photo, street } from './photo.mjs';

const FOLDER = process.env.LINDERO_E2E_SCREENSHOTS;
const MIDDLE = [WEST + SIDE * 1.5, SOUTH + SIDE / 2];

describe('photos and documents of a feature', { skip }, () => {
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

  const picture = (page, name) => (FOLDER ? page.screenshot({ path: join(FOLDER, `attachments-${name}.png`) }) : null);
  const button = (page, name) => page.getByRole('button', { name });
  const opened = (page) => page.getByRole('dialog', { name: /^Foto \d de \d$/ });
  /** Expected refusals are on the browser's console too. */
  const forgive = (page, ...statuses) =>
    (page.complaints = page.complaints.filter((complaint) => !statuses.some((status) => complaint.includes(`status of ${status}`))));

  /** The card of a lot, as the account that may edit it sees it. */
  async function look(code, { anonymous = false, ...options } = DESKTOP) {
    const { id } = await scene.lot(code);
    const page = await open(browser, {
      ...(options.viewport ? options : { ...DESKTOP, ...options }),
      hash: `map=18/${MIDDLE[1]}/${MIDDLE[0]}&layers=lotes_prueba&sel=lotes_prueba/${id}`,
      before: anonymous ? undefined : scene.comeIn,
    });
    await page.getByText('Vivienda').first().waitFor();
    return page;
  }

  async function choose(page, ...files) {
    const chooser = page.waitForEvent('filechooser');
    await button(page, 'Agregar archivos').click();
    const picker = await chooser;
    assert.ok(picker.isMultiple());
    await picker.setFiles(files);
  }

  const send = (page, count) => button(page, count === 1 ? 'Subir 1 archivo' : `Subir ${count} archivos`).click();

  /** The colour in the middle of the upper half of a picture, as it is shown. */
  const upperColour = (image) =>
    image.evaluate(async (element) => {
      await element.decode();
      const canvas = Object.assign(document.createElement('canvas'), { width: element.naturalWidth, height: element.naturalHeight });
      const context = canvas.getContext('2d');
      context.drawImage(element, 0, 0);
      return [...context.getImageData(canvas.width / 2, canvas.height / 4, 1, 1).data.slice(0, 3)];
    });

  test('a photo that was taken upright is added, seen upright, opened, and removed', async () => {
    const page = await look('L-1');
    await page.getByText('Fotos (JPEG, PNG, WebP) o documentos PDF').waitFor();
    await picture(page, 'none-yet');
    await choose(page, await photo(browser, 'hueco.jpg', halves, { orientation: 6 }));
    await page.getByLabel('Descripción de hueco.jpg (opcional)').fill('Vista hacia el norte');
    await assertAccessible(page, 'a photo that is to be added');
    await picture(page, 'pending');
    await send(page, 1);
    await page.getByText('Se agregó 1 archivo.').waitFor();

    const preview = button(page, 'Abrir la foto 1 de 1: Vista hacia el norte');
    await preview.waitFor();
    assert.equal(await page.getByText('Archivos por subir').count(), 0);
    const [red, , blue] = await upperColour(preview.locator('img'));
    assert.ok(red > 150 && blue < 90, `the preview's upper half is (${red}, ${blue})`);
    await assertAccessible(page, 'a card with a photo');
    await preview.click();
    const dialog = opened(page);
    await dialog.getByText('Vista hacia el norte').waitFor();
    const large = dialog.getByRole('img', { name: 'Vista hacia el norte' });
    const [largeRed] = await upperColour(large);
    assert.ok(largeRed > 150, `the photo's upper half has ${largeRed} of red`);
    assert.deepEqual(await large.evaluate((image) => [image.naturalWidth, image.naturalHeight]), [300, 400]);
    await assertAccessible(page, 'a photo in large');
    await picture(page, 'large');

    await button(dialog, 'Quitar').click();
    await dialog.getByText('¿Quitar «hueco.jpg»?').waitFor();
    await assertAccessible(page, 'the question before a photo is removed');
    await button(dialog, 'Conservar').click();
    await button(dialog, 'Quitar').click();
    await dialog.getByRole('alertdialog').getByRole('button', { name: 'Quitar' }).click();
    await page.getByText('Se quitó «hueco.jpg».').waitFor();
    await dialog.waitFor({ state: 'detached' });
    await page.reload();
    await page.getByText('Fotos (JPEG, PNG, WebP) o documentos PDF').waitFor();
    assert.equal(await preview.count(), 0);
    await close(page);
  });

  test('of several files those that do not fit are named, and nothing of the others is lost', async () => {
    const page = await look('L-2');
    const good = await photo(browser, 'anden.jpg', street);
    const broken = { ...good, name: 'dañada.jpg', buffer: good.buffer.subarray(0, 300) };
    const text = { name: 'notas.jpg', mimeType: 'image/jpeg', buffer: Buffer.from('Esto no es una foto.') };
    const heavy = { name: 'enorme.jpg', mimeType: 'image/jpeg', buffer: Buffer.alloc(20 * 1024 * 1024 + 1) };
    await choose(page, text, heavy, good, broken, { name: 'vacía.png', mimeType: 'image/png', buffer: Buffer.alloc(0) });
    // Without asking the server.
    await page.getByText('«enorme.jpg» pesa más de 20 MB, que es el máximo.').waitFor();
    await page.getByText('«vacía.png» está vacío.').waitFor();
    await page.getByLabel('Descripción de notas.jpg (opcional)').fill('De la visita');
    await send(page, 3);
    await page.getByText('Archivos agregados: 1 de 3. Los demás siguen en la lista.').waitFor();
    forgive(page, 415, 422);
    await page.getByText('«notas.jpg» no es una foto JPEG, PNG o WebP, ni un documento PDF.').waitFor();
    await page.getByText('«dañada.jpg» está dañado, o tiene más de 60 megapíxeles.').waitFor();
    assert.equal(await page.getByLabel('Descripción de notas.jpg (opcional)').inputValue(), 'De la visita');
    await button(page, 'Abrir la foto 1 de 1: anden.jpg').waitFor();
    await assertAccessible(page, 'files that were refused');
    await picture(page, 'refused');

    // A connection that breaks: what was chosen stays, and goes when it is back.
    await button(page, 'Descartar').click();
    const path = '**/attachments';
    await page.route(path, (route) => (route.request().method() === 'POST' ? route.abort('connectionreset') : route.fallback()));
    await choose(page, await photo(browser, 'vía.jpg', street));
    await send(page, 1);
    await page.getByText('«vía.jpg» no se pudo subir. El servidor no responde.').waitFor();
    page.complaints = page.complaints.filter((complaint) => !complaint.includes('ERR_CONNECTION_RESET'));
    await page.unroute(path);
    // Meanwhile another card is looked at.
    await button(page, 'L-2').click();
    await button(page, 'L-2').click();
    await send(page, 1);
    await button(page, 'Abrir la foto 2 de 2: vía.jpg').waitFor();
    await close(page);
  });

  test('documents are a list, from which each is downloaded', async () => {
    const page = await look('L-3');
    await choose(page, await pdf(browser, 'acta de visita.pdf', 'Acta de visita'), await pdf(browser, 'licencia.pdf', 'Licencia'));
    await page.getByLabel('Descripción de licencia.pdf (opcional)').fill('Licencia de 2024');
    await send(page, 2);
    await page.getByText('Se agregaron 2 archivos.').waitFor();
    const list = page.getByRole('list', { name: 'Documentos' });
    await list.getByText('Licencia de 2024').waitFor();
    const download = page.waitForEvent('download');
    await list.getByRole('link', { name: /Descargar acta de visita.pdf/ }).click();
    const file = await download;
    assert.equal(file.suggestedFilename(), 'acta de visita.pdf');
    assert.equal((await readFile(await file.path())).subarray(0, 5).toString(), '%PDF-');
    await button(page, 'Quitar acta de visita.pdf').click();
    await page.getByText('¿Quitar «acta de visita.pdf»?').waitFor();
    await picture(page, 'documents');
    await assertAccessible(page, 'the question before a document is removed');
    await page.getByRole('alertdialog').getByRole('button', { name: 'Quitar' }).click();
    await page.getByText('Se quitó «acta de visita.pdf».').waitFor();
    assert.equal(await list.getByRole('listitem').count(), 1);
    await close(page);
  });

  test('photos are looked at with the keyboard alone, and files are dropped on the card', async () => {
    const page = await look('L-3');
    const files = await Promise.all(['a', 'b', 'c'].map((name) => photo(browser, `${name}.jpg`, street, { width: 800, height: 600 })));
    const transfer = await page.evaluateHandle((given) => {
      const data = new DataTransfer();
      for (const { name, bytes } of given) data.items.add(new File([Uint8Array.from(atob(bytes), (sign) => sign.charCodeAt(0))], name, { type: 'image/jpeg' }));
      return data;
    }, files.map(({ name, buffer }) => ({ name, bytes: buffer.toString('base64') })));
    const title = button(page, 'L-3');
    await title.dispatchEvent('dragover', { dataTransfer: transfer });
    await page.getByText('Suelte los archivos aquí').waitFor();
    await picture(page, 'drop');
    await title.dispatchEvent('drop', { dataTransfer: transfer });
    await send(page, 3);
    await page.getByText('Se agregaron 3 archivos.').waitFor();

    const second = button(page, 'Abrir la foto 2 de 3: b.jpg');
    await second.focus();
    await page.keyboard.press('Enter');
    const at = (text) => opened(page).getByRole('heading', { name: text }).waitFor();
    await at('Foto 2 de 3');
    await page.keyboard.press('ArrowRight');
    await at('Foto 3 de 3');
    await page.keyboard.press('ArrowRight');
    await at('Foto 1 de 3');
    await page.keyboard.press('End');
    await at('Foto 3 de 3');
    await page.keyboard.press('ArrowLeft');
    await at('Foto 2 de 3');
    await page.keyboard.press('Escape');
    await opened(page).waitFor({ state: 'detached' });
    assert.ok(await second.evaluate((element) => element === document.activeElement), 'the photo from which one came has the focus');
    await close(page);
  });

  test('whoever may not edit sees them, and is offered nothing else', async () => {
    const page = await look('L-3', { anonymous: true });
    await button(page, 'Abrir la foto 1 de 3: a.jpg').waitFor();
    assert.equal(await button(page, 'Agregar archivos').count(), 0);
    assert.equal(await button(page, /^Quitar/).count(), 0);
    await button(page, 'Abrir la foto 1 de 3: a.jpg').click();
    await opened(page).getByRole('link', { name: /^Descargar a.jpg/ }).waitFor();
    assert.equal(await button(page, /^Quitar/).count(), 0);
    await close(page);

    const empty = await open(browser, {
      ...DESKTOP,
      hash: `map=18/${MIDDLE[1]}/${MIDDLE[0]}&layers=lotes_prueba&sel=lotes_prueba/${(await scene.lot('L-1')).id}`,
      before: (p) => {
        p.list = p.waitForResponse((answer) => answer.url().endsWith('/attachments'));
      },
    });
    await (await empty.list).finished();
    await button(empty, 'Ver en el mapa').waitFor();
    assert.equal(await empty.getByText('Fotos y documentos').count(), 0);
    await close(empty);
  });

  test('on a phone, in the dark', async () => {
    const page = await look('L-3', { ...PHONE, colorScheme: 'dark' });
    await button(page, 'Agrandar el panel').tap();
    await button(page, 'Tomar foto').waitFor();
    await choose(page, await photo(browser, 'del teléfono.jpg', street, { width: 1600, height: 1200 }));
    await button(page, 'Subir 1 archivo').scrollIntoViewIfNeeded();
    await picture(page, 'phone-pending');
    let letGo;
    const held = new Promise((done) => (letGo = done));
    await page.route('**/attachments', async (route) => {
      if (route.request().method() === 'POST') await held;
      await route.fallback();
    });
    await send(page, 1);
    await page.getByText(/^(Subiendo|Revisando) del teléfono.jpg/).waitFor();
    await page.getByRole('progressbar').waitFor();
    await assertAccessible(page, 'a file that is on its way');
    await picture(page, 'phone-sending');
    letGo();
    const fourth = button(page, 'Abrir la foto 4 de 4: del teléfono.jpg');
    await fourth.scrollIntoViewIfNeeded();
    await picture(page, 'phone');
    await fourth.tap();
    await opened(page).getByRole('img', { name: 'del teléfono.jpg' }).waitFor();
    await assertAccessible(page, 'a photo in large on a phone');
    await picture(page, 'phone-large');
    await close(page);
  });

  test('an English browser is told in English', async () => {
    const page = await open(browser, {
      ...DESKTOP,
      locale: 'en-GB',
      hash: `map=18/${MIDDLE[1]}/${MIDDLE[0]}&layers=lotes_prueba&sel=lotes_prueba/${(await scene.lot('L-1')).id}`,
      before: scene.comeIn,
    });
    const chooser = page.waitForEvent('filechooser');
    await button(page, 'Add files').click();
    await (await chooser).setFiles({ name: 'plan.pdf', mimeType: 'application/pdf', buffer: Buffer.alloc(0) });
    await page.getByText('“plan.pdf” is empty.').waitFor();
    assert.ok(await button(page, 'Upload 0 files').isDisabled());
    await button(page, 'Discard').click();
    await page.getByText('Photos (JPEG, PNG, WebP) or PDF documents, up to 20 MB each.').waitFor();
    await close(page);
  });
});
