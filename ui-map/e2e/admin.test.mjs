import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { lindero, makeAccount, PASSWORD, secret, skip } from './program.mjs';
import { assertAccessible, close, DESKTOP, json, launch, open, PHONE, SERVER } from './browser.mjs';

/** Where pictures of the pages go, where they are wanted. */
const PICTURES = process.env.LINDERO_E2E_PICTURES;

const ID = 'prueba_admin';
const LAYER = 'Puestos de prueba';

async function logIn(page, name) {
  await page.getByRole('main').getByRole('button', { name: 'Ingresar' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Nombre de la cuenta').fill(name);
  await dialog.getByLabel('Contraseña').fill(PASSWORD);
  await dialog.getByRole('button', { name: 'Ingresar' }).click();
  await page.getByText(`Ingresó como ${name}.`).waitFor();
}

const administration = (browser, path, options = {}) => open(browser, { hash: `admin/${path}`, drawn: false, ...DESKTOP, ...options });

/** Goes to another page of the administration, as by a link. */
const go = (page, path) => page.evaluate((to) => { location.hash = `admin/${to}`; }, path);

const confirm = async (page, name) => {
  await page.getByRole('dialog').getByRole('button', { name }).click();
  await page.getByRole('dialog').waitFor({ state: 'detached' });
};

/** What the map's card says of the feature to the public. */
const properties = async (headers = {}) => {
  const answer = await fetch(new URL(`collections/${ID}/items?limit=1`, SERVER), { headers });
  return { status: answer.status, values: answer.ok ? (await answer.json()).features[0]?.properties : null };
};

describe('the administration', { skip }, () => {
  let browser;
  let folder;
  let feature;
  before(async () => {
    browser = await launch();
    folder = await mkdtemp(join(tmpdir(), 'lindero-e2e-'));
    const file = join(folder, 'prueba.geojson');
    const geometry = { type: 'Point', coordinates: [-75.2322, 4.4389] };
    const features = [{ type: 'Feature', geometry, properties: { nombre: 'Puesto uno', telefono: '608 555 0101' } }];
    await writeFile(file, JSON.stringify({ type: 'FeatureCollection', features }));
    await lindero('import', file, '--as', ID, '--title', LAYER, '--sector', 'salud', '--public');
    const { features: [first] } = await (await fetch(new URL(`collections/${ID}/items?f=json`, SERVER))).json();
    feature = first.id;
    await makeAccount('ana.admin', 'administrator');
    await makeAccount('alba.auditora', 'auditor');
    if (PICTURES) await mkdir(PICTURES, { recursive: true });
  });
  after(async () => {
    await lindero('layer', 'remove', ID, '--yes');
    await rm(folder, { recursive: true });
    await browser.close();
  });

  test('is nothing for who did not log in', async () => {
    const page = await administration(browser, 'accounts');
    await page.getByText('Ingrese con su cuenta para administrar.').waitFor();
    assert.equal(await page.getByRole('navigation', { name: 'Secciones de la administración' }).count(), 0);
    await assertAccessible(page, 'nobody');
    await page.getByRole('link', { name: 'Volver al mapa' }).click();
    await page.locator('[data-status=drawn]').waitFor({ timeout: 60_000 });
    assert.equal(await page.getByRole('link', { name: 'Administración' }).count(), 0);
    await close(page);
  });

  test('is the audit trail alone for who audits', async () => {
    const page = await administration(browser, '');
    await logIn(page, 'alba.auditora');
    const menu = page.getByRole('navigation', { name: 'Secciones de la administración' });
    await menu.waitFor();
    assert.deepEqual(await menu.getByRole('link').allTextContents(), ['Auditoría', 'Mis sesiones']);
    await page.getByRole('heading', { level: 1, name: 'Auditoría' }).waitFor();
    const main = page.getByRole('main');
    // All that the trail may hold can be looked for, each in words.
    const offered = await main.getByLabel('Qué', { exact: true }).locator('option').evaluateAll((all) => all.map(({ value, text }) => [value, text]));
    const { paths } = await json('api?f=json');
    const known = paths['/admin/audit'].get.parameters.find(({ name }) => name === 'action').schema.enum;
    assert.deepEqual(offered.map(([value]) => value).filter(Boolean).sort(), [...known].sort());
    assert.deepEqual(offered.filter(([value, text]) => value && value === text), []);
    await main.getByLabel('Cuenta que lo hizo').fill('alba.auditora');
    await main.getByLabel('Qué', { exact: true }).selectOption('log_in');
    await main.getByRole('button', { name: 'Buscar' }).click();
    const row = main.getByRole('row', { name: /Ingresar Hecho alba\.auditora/ }).first();
    // It is what was looked for alone: the list of all was there before.
    await main.getByText('ana.admin').first().waitFor({ state: 'detached' });
    await row.waitFor();
    await assertAccessible(page, 'the audit trail');
    if (PICTURES) await page.screenshot({ path: join(PICTURES, 'audit.png') });
    await row.getByRole('button').click();
    await page.getByRole('dialog').getByText('"method": "password"').waitFor();
    await assertAccessible(page, 'a row of the audit trail');
    await page.keyboard.press('Escape');
    // A search is an address, which can be kept; and a file.
    await page.reload();
    await row.waitFor();
    const [file] = await Promise.all([page.waitForEvent('download'), main.getByRole('link', { name: 'Descargar como CSV' }).click()]);
    const lines = (await readFile(await file.path(), 'utf8')).trim().split('\n');
    assert.ok(lines.length > 1 && lines.slice(1).every((line) => line.includes('log_in')), lines.slice(0, 3).join('\n'));
    await main.getByLabel('Desde la dirección').fill('10.20.0.x');
    await main.getByRole('button', { name: 'Buscar' }).click();
    await main.locator('.wrong', { hasText: 'Escriba una dirección' }).waitFor();
    page.complaints = page.complaints.filter((complaint) => !complaint.includes('400'));
    await main.getByRole('button', { name: 'Borrar los filtros' }).click();
    await main.locator('.wrong').waitFor({ state: 'detached' });
    await go(page, 'accounts');
    await page.getByRole('heading', { name: 'Esta página no es para su cuenta' }).waitFor();
    await assertAccessible(page, 'a page that is for others');
    await go(page, 'sessions');
    await page.getByText('Los navegadores en que su cuenta está abierta.').waitFor();
    await page.getByRole('cell', { name: 'Contraseña' }).first().waitFor();
    await close(page);
  });

  test('makes an account, lets it in, gives it a role in one layer, and ends its session', async () => {
    const page = await administration(browser, 'accounts');
    await logIn(page, 'ana.admin');
    await page.getByRole('link', { name: 'ana.admin', exact: true }).waitFor();
    await page.getByRole('link', { name: 'Nueva cuenta' }).click();
    const main = page.getByRole('main');
    await main.getByLabel('Nombre de la cuenta').fill('Eva Prueba');
    await main.getByLabel('Nombre completo').fill('Eva Prueba');
    await main.getByLabel('Dependencia').fill('Secretaría de Salud');
    await main.getByRole('button', { name: 'Crear y hacer el enlace' }).click();
    // The field that is at fault says so, and is marked.
    await main.locator('.wrong', { hasText: 'minúsculas sin tildes' }).waitFor();
    assert.equal(await main.getByLabel('Nombre de la cuenta').getAttribute('aria-invalid'), 'true');
    await assertAccessible(page, 'a form that was refused');
    page.complaints = page.complaints.filter((complaint) => !complaint.includes('400'));
    await main.getByLabel('Nombre de la cuenta').fill('eva.admin');
    await main.getByRole('button', { name: 'Crear y hacer el enlace' }).click();
    const link = main.getByRole('textbox', { name: 'Enlace de un solo uso de eva.admin' });
    await link.waitFor();
    const href = await link.inputValue();
    await assertAccessible(page, 'a link that is shown once');
    await page.reload();
    await page.getByRole('heading', { name: /eva\.admin/ }).waitFor();
    assert.equal(await main.getByRole('textbox', { name: 'Enlace de un solo uso de eva.admin' }).count(), 0);
    assert.ok(!(await page.content()).includes(secret(href)), 'the link is shown once');

    const eva = await open(browser, { ...DESKTOP, hash: `link=${secret(href)}` });
    await eva.getByRole('dialog').getByLabel('Contraseña nueva').fill(PASSWORD);
    await eva.getByRole('dialog').getByLabel('La misma otra vez').fill(PASSWORD);
    await eva.getByRole('dialog').getByRole('button', { name: 'Guardar e ingresar' }).click();
    await eva.getByText('Ingresó como eva.admin.').waitFor();
    assert.equal(await eva.getByRole('link', { name: 'Administración' }).count(), 0, 'it administers nothing');

    await page.reload();
    await main.getByText('La cuenta no tiene roles: ve lo público.').waitFor();
    await main.getByLabel('Rol', { exact: true }).selectOption({ label: 'Planeación' });
    await main.getByLabel('Solo esta capa').selectOption({ label: LAYER });
    await main.getByRole('button', { name: 'Asignar' }).click();
    await main.getByRole('row', { name: /Planeación.*solo la capa Puestos de prueba/ }).waitFor();
    await assertAccessible(page, 'an account');
    if (PICTURES) await page.screenshot({ path: join(PICTURES, 'account.png') });
    await eva.reload();
    await eva.getByRole('button', { name: 'Cuenta de eva.admin' }).click();
    await eva.getByRole('dialog').getByText(LAYER).waitFor();
    await eva.keyboard.press('Escape');

    const sessions = main.getByRole('region', { name: 'Tabla: Sesiones abiertas' });
    await main.getByRole('button', { name: /^Terminar la sesión en Chrome/ }).click();
    await page.getByText('queda por fuera en un segundo').waitFor();
    await assertAccessible(page, 'a question before something is done');
    await confirm(page, 'Terminar');
    await main.getByText('Ninguna sesión abierta.').waitFor();
    assert.equal(await sessions.getByRole('row').count(), 0);
    await eva.reload();
    await eva.getByRole('button', { name: 'Ingresar' }).waitFor();
    await close(eva);
    await close(page);
  });

  test('shows a key once, which opens until it is taken back', async () => {
    const page = await administration(browser, 'accounts/new');
    await logIn(page, 'ana.admin');
    const main = page.getByRole('main');
    await main.getByLabel('Clase').selectOption('system');
    await main.getByLabel('Nombre de la cuenta').fill('sensores.admin');
    await main.getByRole('button', { name: 'Crear', exact: true }).click();
    await main.getByText('El sistema no tiene llaves').waitFor();
    await main.getByLabel('Para qué es', { exact: true }).fill('Estaciones del río');
    await main.getByRole('button', { name: 'Hacer la llave' }).click();
    const shown = main.getByRole('textbox', { name: 'Llave «Estaciones del río»' });
    const key = await shown.inputValue();
    assert.match(key, /^lindero_/);
    const bearer = { authorization: `Bearer ${key}` };
    assert.equal((await properties(bearer)).status, 200);
    await page.reload();
    await main.getByText('Estaciones del río').first().waitFor();
    assert.ok(!(await page.content()).includes(key), 'the key is shown once');
    await assertAccessible(page, 'keys');
    await main.getByRole('button', { name: 'Retirar la llave Estaciones del río' }).click();
    await confirm(page, 'Retirar');
    await main.locator('.badge', { hasText: 'Retirada' }).waitFor();
    assert.equal((await properties(bearer)).status, 401);
    await close(page);
  });

  test('withholds an attribute, which vanishes for the public from the card', async () => {
    const card = await open(browser, { ...DESKTOP, hash: `sel=${ID}/${feature}` });
    await card.getByText('608 555 0101').waitFor();
    const page = await administration(browser, 'layers');
    await logIn(page, 'ana.admin');
    const main = page.getByRole('main');
    await main.getByRole('searchbox', { name: 'Buscar en Capas' }).fill('puestos prueba');
    await main.getByRole('link', { name: LAYER }).click();
    await main.locator('summary', { hasText: 'telefono' }).click();
    await main.getByRole('group', { name: 'telefono' }).getByLabel('Quién lo ve').selectOption('clasificada');
    const reason = main.getByRole('group', { name: 'telefono' }).getByLabel('Fundamento legal');
    await reason.fill('Ley 1712 de 2014, artículo 18, literal a');
    await assertAccessible(page, "a layer's form");
    if (PICTURES) await page.screenshot({ path: join(PICTURES, 'layer.png') });
    await main.getByRole('button', { name: 'Guardar' }).click();
    await page.getByRole('dialog').getByText('El atributo «telefono» desaparece en segundos').waitFor();
    await confirm(page, 'Guardar');
    await page.getByText('Los cambios se guardaron.').waitFor();
    assert.deepEqual((await properties()).values, { nombre: 'Puesto uno' });
    await card.reload();
    await card.getByText('Puesto uno').first().waitFor();
    assert.equal(await card.getByText('608 555 0101').count(), 0);
    await close(card);

    // Who manages the layer sees it still, and what it says of it is there after a reload.
    await page.reload();
    await main.locator('summary', { hasText: 'telefono' }).click();
    assert.equal(await main.getByRole('group', { name: 'telefono' }).getByLabel('Quién lo ve').inputValue(), 'clasificada');
    await close(page);
  });

  test('lets two administrators not overwrite each other', async () => {
    const page = await administration(browser, `layers/${ID}`);
    await logIn(page, 'ana.admin');
    const other = await page.context().newPage();
    await other.goto(`${SERVER}#admin/layers/${ID}`);
    const title = (one) => one.getByRole('main').getByLabel('Título en inglés').first();
    await title(page).fill('Test posts');
    await title(other).fill('Posts');
    await page.getByRole('main').getByRole('button', { name: 'Guardar' }).click();
    await page.getByText('Los cambios se guardaron.').waitFor();
    await other.getByRole('main').getByRole('button', { name: 'Guardar' }).click();
    await other.getByText('Alguien más cambió esta capa mientras usted la editaba.').waitFor();
    await other.getByRole('button', { name: 'Cargar la capa de nuevo' }).click();
    await other.waitForFunction(() => [...document.querySelectorAll('input')].some(({ value }) => value === 'Test posts'));
    await other.close();
    page.complaints = page.complaints.filter((complaint) => !complaint.includes('412'));
    await close(page);
  });

  test('says before a role changes what changes for whom', async () => {
    const page = await administration(browser, 'roles/new');
    await logIn(page, 'ana.admin');
    const main = page.getByRole('main');
    await main.getByLabel('Título en español').fill('Lectura técnica');
    await main.getByRole('checkbox', { name: /^ver lo clasificado/ }).check();
    await assertAccessible(page, 'a role');
    await main.getByRole('button', { name: 'Crear' }).click();
    await main.getByRole('link', { name: 'Cambiar el rol Lectura técnica' }).click();
    await main.getByRole('checkbox', { name: /^ver lo clasificado/ }).uncheck();
    await main.getByRole('button', { name: 'Guardar' }).click();
    await page.getByRole('dialog').getByText('Dejarán de poder: ver lo clasificado.').waitFor();
    await confirm(page, 'Guardar');
    await main.getByRole('row', { name: /Lectura técnica/ }).waitFor();
    assert.equal(await main.getByRole('row', { name: /Lectura técnica/ }).getByText('Sí').count(), 0);
    // What the administrator may cannot be changed.
    assert.equal(await main.getByRole('link', { name: 'Cambiar el rol Administración' }).count(), 0);
    await close(page);
  });

  test('shows a job while it runs, and asks it to stop', async () => {
    const job = '00000000-0000-7000-8000-00000000ad01';
    const sql = (text) => lindero('psql', '--', '--quiet', '--tuples-only', '--no-align', '-c', text);
    await sql(`INSERT INTO access.job (id, kind, subject, done, total) VALUES ('${job}', 'import', '${ID}', 200, 1000)`);
    try {
      const page = await administration(browser, 'jobs');
      await logIn(page, 'ana.admin');
      const main = page.getByRole('main');
      await main.getByLabel('Estado').selectOption('running');
      const row = main.getByRole('row', { name: new RegExp(`Importación: ${LAYER}`) });
      await row.getByText('200 de 1000').waitFor();
      await assertAccessible(page, 'a job that runs');
      // What it does shows without anything being pressed.
      await sql(`UPDATE access.job SET done = 700 WHERE id = '${job}'`);
      await row.getByText('700 de 1000').waitFor();
      await row.getByRole('button', { name: `Detener Importación de ${LAYER}` }).click();
      await page.getByRole('dialog').getByText('deshace lo que había comenzado').waitFor();
      await confirm(page, 'Detener');
      await row.getByText('Deteniéndose').waitFor();
      assert.equal((await sql(`SELECT cancel_requested FROM access.job WHERE id = '${job}'`)).trim(), 't');
      await sql(`UPDATE access.job SET state = 'cancelled', finished_at = now() WHERE id = '${job}'`);
      await main.getByText('Ningún trabajo.').waitFor();
      await close(page);
    } finally {
      await sql(`DELETE FROM access.job WHERE id = '${job}'`);
    }
  });

  for (const [size, options] of Object.entries({ desktop: DESKTOP, phone: PHONE })) {
    for (const colorScheme of ['light', 'dark']) {
      test(`has no page in which axe finds anything: ${size}, ${colorScheme}`, async () => {
        const page = await administration(browser, '', { ...options, colorScheme });
        await logIn(page, 'ana.admin');
        const main = page.getByRole('main');
        const menu = page.getByRole('navigation', { name: 'Secciones de la administración' });
        for (const [path, title, waited] of [
          ['accounts', 'Cuentas', main.getByRole('link', { name: 'ana.admin' })],
          ['accounts/new', 'Nueva cuenta', main.getByLabel('Clase')],
          ['accounts/review', 'Revisión de accesos', main.getByRole('row', { name: /alba\.auditora.*Auditoría \(En todo\)/ })],
          ['roles', 'Roles', main.getByRole('rowheader', { name: 'Auditoría' })],
          ['layers', 'Capas', main.getByRole('link', { name: LAYER })],
          [`layers/${ID}`, LAYER, main.locator('summary', { hasText: 'telefono' })],
          ['jobs', 'Trabajos', main.getByText(`Importación: ${LAYER}`).first()],
          ['health', 'Salud', main.getByText(/Todo está bien|Funciona, y algo|Algo no funciona/)],
          ['sessions', 'Mis sesiones', main.getByRole('button', { name: /^Terminar la sesión/ }).first()],
        ]) {
          await go(page, path);
          await page.getByRole('heading', { level: 1, name: title }).waitFor();
          if (path === 'layers' || path === 'accounts') await main.getByRole('searchbox').fill(path === 'layers' ? 'puestos' : 'ana.admin');
          await waited.waitFor();
          await assertAccessible(page, `${path}, ${size}, ${colorScheme}`);
          const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
          assert.ok(wide <= window, `${path} is wider than the window: ${wide}`);
          if (PICTURES) await page.screenshot({ path: join(PICTURES, `${path.replace('/', '-')}-${size}-${colorScheme}.png`) });
        }
        assert.equal(await menu.getByRole('link').count(), 6);
        await page.getByRole('button', { name: 'English' }).click();
        await page.getByRole('heading', { level: 1, name: 'My sessions' }).waitFor();
        await close(page);
      });
    }
  }

  test('goes by the keyboard, and begins each page at its head', async () => {
    const page = await administration(browser, 'roles');
    await logIn(page, 'ana.admin');
    await page.getByRole('link', { name: 'Cuentas' }).focus();
    await page.keyboard.press('Enter');
    await page.getByRole('link', { name: 'ana.admin' }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'MAIN');
    assert.equal(await page.title(), 'Cuentas · Administración · Lindero');
    await page.goBack();
    await page.getByRole('heading', { level: 1, name: 'Roles' }).waitFor();
    await close(page);
  });
});
