// Coming in through a real identity provider, in a real browser. The server is one of its own, as the provider must be in
// its configuration; what a lying provider says is tested in server/tests/api/oidc.rs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, describe, test } from 'node:test';

import { binary } from './program.mjs';
import { assertAccessible, launch, skip } from './browser.mjs';
import { startProvider } from './identity-provider.mjs';

const configuration = (issuer, secret) => `
[[oidc]]
id = "alcaldia"
title = "Alcaldía de prueba"
issuer = "${issuer}"
client_id = "lindero"
client_secret_file = "${secret}"
scopes = ["profile", "groups"]
dependency_claim = "department"

[[oidc.roles]]
value = "sig"
role = "planner"
own_dependency = true

[[oidc]]
id = "lejos"
title = "Otra que no responde"
issuer = "http://127.0.0.1:9"
client_id = "lindero"
`;

/** A server with that configuration and a database of its own. */
async function startServer(folder, config) {
  const env = { ...process.env, LINDERO_DATA_DIR: join(folder, 'data'), LINDERO_LISTEN: '127.0.0.1:0', LINDERO_CONFIG: config };
  delete env.DATABASE_URL;
  const child = spawn(binary, ['serve'], { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  for await (const line of createInterface({ input: child.stdout })) {
    const url = line.match(/ serves at (http\S+)/)?.[1];
    if (url) return { url, stop: () => (child.kill('SIGTERM'), ended) };
  }
  throw new Error('the server did not start');
}

describe('an identity provider', { skip }, () => {
  let browser, folder, provider, server;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lindero-oidc-'));
    // PostgreSQL's user must reach it, also when we are root.
    await chmod(folder, 0o755);
    provider = await startProvider();
    const [secret, config] = [join(folder, 'secret'), join(folder, 'lindero.toml')];
    await writeFile(secret, 'the-secret-of-the-client\n', { mode: 0o600 });
    await writeFile(config, configuration(provider.issuer, secret));
    server = await startServer(folder, config);
    provider.serve(server.url);
    browser = await launch();
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    await provider?.stop();
    await rm(folder, { recursive: true });
  });

  const visit = async () => {
    const context = await browser.newContext({ locale: 'es-CO' });
    const page = await context.newPage();
    // The provider's own pages ask for a font elsewhere.
    await page.route(/googleapis/, (route) => route.abort());
    await page.goto(`${server.url}?lang=es#map=13/4.44000/-75.23000`);
    await page.getByRole('button', { name: 'Ingresar' }).click();
    return page;
  };
  const button = (page) => page.getByRole('dialog').getByRole('link', { name: 'Ingresar con Alcaldía de prueba' });
  /** At the provider: who it is, and that we may know it. */
  const confirm = async (page, person) => {
    await page.locator('input[name=login]').fill(person);
    await page.locator('input[name=password]').fill('x');
    await page.locator('button[type=submit]').click();
    await page.getByRole('button', { name: 'Continue' }).click();
  };
  const account = (page) => page.evaluate(() => fetch('session').then((answer) => answer.json()));

  test('lets in whom it knows, to where one was, and out again in both places', async () => {
    const page = await visit();
    await assertAccessible(page, 'the dialog to log in, with providers');
    await button(page).click();
    await confirm(page, 'eva');
    await page.getByRole('button', { name: 'Cuenta de eva.prueba' }).waitFor();
    assert.ok(page.url().startsWith(`${server.url}?lang=es#map=13/4.44000/-75.23000`), page.url());
    const { account: eva, rights } = await account(page);
    assert.deepEqual([eva.provider, eva.full_name, eva.dependency], ['alcaldia', 'Eva Prueba', 'Secretaría de Planeación']);
    assert.deepEqual(rights, [{ permissions: ['read_classified'], reach: { dependency: 'Secretaría de Planeación' } }]);
    const cookies = await page.context().cookies(server.url);
    const session = cookies.find(({ name }) => name === 'lindero_session');
    assert.deepEqual([session.httpOnly, session.sameSite], [true, 'Lax']);
    assert.ok(!cookies.some(({ name }) => name === 'lindero_errand'));

    await page.getByRole('button', { name: 'Cuenta de eva.prueba' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Salir' }).click();
    await page.getByRole('button', { name: /yes/i }).click();
    await page.waitForURL(server.url);
    await page.getByRole('button', { name: 'Ingresar' }).waitFor();
    // The cookie of before opens nothing, and the provider asks again who it is.
    await page.context().addCookies([session]);
    assert.equal((await account(page)).account, null);
    await page.goto(`${server.url}session/oidc/alcaldia`);
    await page.locator('input[name=login]').waitFor();
    await page.context().close();
  });

  test('does not let in to whom no rule gives anything, and says so', async () => {
    const page = await visit();
    await button(page).click();
    await confirm(page, 'nadie');
    await page.getByText('aquí no se le asignó nada').waitFor();
    await assertAccessible(page, 'the page of a login that came to nothing');
    await page.getByRole('link', { name: 'Volver al mapa' }).click();
    await page.waitForURL(server.url);
    assert.equal((await account(page)).account, null);
    await page.context().close();
  });

  test('says no: one is told, and may try again', async () => {
    const page = await visit();
    await button(page).click();
    await page.getByRole('link', { name: /cancel/i }).click();
    await page.getByText('no confirmó quién es usted').waitFor();
    await page.getByRole('link', { name: 'Intentar de nuevo' }).click();
    await page.locator('input[name=login]').waitFor();
    await page.context().close();
  });

  test('does not answer: one is told', async () => {
    const page = await visit();
    await page.getByRole('dialog').getByRole('link', { name: 'Otra que no responde' }).click();
    await page.getByText('no responde en este momento').waitFor();
    await page.context().close();
  });

  test('gives a code for one browser and one login', async () => {
    /** The address to which the provider sends this browser back: the last step is not taken. */
    const caught = async (person) => {
      const page = await visit();
      await button(page).click();
      await page.locator('input[name=login]').fill(person);
      await page.locator('input[name=password]').fill('x');
      await page.locator('button[type=submit]').click();
      await page.getByRole('button', { name: 'Continue' }).waitFor();
      const { request } = page.context();
      const form = await page.locator('form').getAttribute('action');
      let answer = await request.post(new URL(form, page.url()).href, { form: { prompt: 'consent' }, maxRedirects: 0 });
      for (;;) {
        const url = new URL(answer.headers().location, answer.url());
        if (url.pathname.endsWith('/callback')) return { page, url };
        answer = await request.get(url.href, { maxRedirects: 0 });
      }
    };
    const [eva, other] = [await caught('eva'), await caught('eva')];
    // Another browser's login, taken whole; and its code put into one's own: the provider refuses it without its verifier.
    const stranger = await visit();
    assert.equal((await stranger.goto(eva.url.href)).status(), 400);
    await stranger.context().close();
    const mixed = new URL(other.url);
    mixed.searchParams.set('code', eva.url.searchParams.get('code'));
    assert.equal((await other.page.goto(mixed.href)).status(), 403);
    // What was tried wrongly is spent, for whoever tried.
    assert.equal((await other.page.goto(other.url.href)).status(), 400);
    // Its owner, in the browser that was sent: once.
    await eva.page.goto(eva.url.href);
    assert.equal((await account(eva.page)).account.name, 'eva.prueba');
    assert.equal((await eva.page.goto(eva.url.href)).status(), 400);
    for (const { page } of [eva, other]) await page.context().close();
  });
});
