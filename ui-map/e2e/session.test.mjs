import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { lindero, PASSWORD, secret, setPassword, skip } from './program.mjs';
import { assertAccessible, close, launch, open, PHONE } from './browser.mjs';

const LAYER = 'Obras en reserva';

describe('an account', { skip }, () => {
  let browser;
  let folder;
  before(async () => {
    browser = await launch();
    folder = await mkdtemp(join(tmpdir(), 'lindero-e2e-'));
    const file = join(folder, 'reserva.geojson');
    const geometry = { type: 'Point', coordinates: [-75.2322, 4.4389] };
    const features = [{ type: 'Feature', geometry, properties: { nombre: 'Tanque nuevo' } }];
    await writeFile(file, JSON.stringify({ type: 'FeatureCollection', features }));
    // Not for the public, as nobody said so.
    await lindero('import', file, '--as', 'obras_reserva', '--title', LAYER, '--sector', 'infraestructura');
  });
  after(async () => {
    await lindero('layer', 'remove', 'obras_reserva', '--yes');
    await rm(folder, { recursive: true });
    await browser.close();
  });

  test('comes in by its link, sees what it may, and leaves', async () => {
    const said = await lindero('user', 'add', 'eva', '--full-name', 'Eva Prueba');
    await lindero('user', 'assign', 'eva', 'planner', '--layer', 'obras_reserva');
    const page = await open(browser, { hash: `link=${secret(said)}` });
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Elija la contraseña de la cuenta eva.').waitFor();
    assert.ok(!page.url().includes(secret(said)), 'the secret is in the address no more');
    await assertAccessible(page, 'the dialog of a link');
    const fill = async (first, second) => {
      await dialog.getByLabel('Contraseña nueva').fill(first);
      await dialog.getByLabel('La misma otra vez').fill(second);
      await dialog.getByRole('button', { name: 'Guardar e ingresar' }).click();
    };
    await fill(PASSWORD, 'otra');
    await dialog.getByText('no son iguales').waitFor();
    await fill(PASSWORD, PASSWORD);
    await page.getByText('Ingresó como eva.').waitFor();
    // What only the account sees is there without a new page.
    await page.getByRole('button', { name: 'Cuenta de eva' }).waitFor();
    const filter = page.getByLabel('Filtrar las capas');
    await filter.fill(LAYER);
    await page.getByText(LAYER, { exact: true }).first().waitFor();

    await page.getByRole('button', { name: 'Cuenta de eva' }).click();
    await dialog.getByText('ver capas y atributos clasificados').waitFor();
    await dialog.getByText('Sesiones abiertas').waitFor();
    await assertAccessible(page, 'the dialog of an account');
    await dialog.getByRole('button', { name: 'Salir' }).click();
    await page.getByText('Salió de su cuenta.').waitFor();
    await page.getByText('Ninguna capa se llama así.').waitFor();
    await close(page);
  });

  test('comes in by its password, also on a phone, and is still in after a reload', async () => {
    const link = secret(await lindero('user', 'add', 'leo'));
    await setPassword(link);
    const page = await open(browser, PHONE);
    await page.getByRole('button', { name: 'Ingresar' }).click();
    const dialog = page.getByRole('dialog');
    await assertAccessible(page, 'the dialog to log in');
    const log = async (password) => {
      await dialog.getByLabel('Nombre de la cuenta').fill('leo');
      await dialog.getByLabel('Contraseña').fill(password);
      await dialog.getByRole('button', { name: 'Ingresar' }).click();
    };
    await log('no es esta contraseña');
    await dialog.getByText('no es correcta').waitFor();
    // The browser itself says on the console that the answer was 401.
    page.complaints = page.complaints.filter((complaint) => !complaint.includes('401'));
    await log(PASSWORD);
    await page.getByText('Ingresó como leo.').waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Cuenta de leo' }).waitFor();
    // Closed by an administrator: whatever the browser keeps.
    await lindero('user', 'disable', 'leo');
    await page.reload();
    await page.getByRole('button', { name: 'Ingresar' }).waitFor();
    await close(page);
  });
});
