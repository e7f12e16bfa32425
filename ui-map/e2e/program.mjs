import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { SERVER } from './browser.mjs';

export const binary = process.env.LINDERO_BINARY ?? fileURLToPath(new URL('../../target/debug/lindero', import.meta.url));
/** The database is that of the data folder of the server under test, which scripts/test-server names. */
export const skip = SERVER && process.env.LINDERO_DATA_DIR ? false : 'LINDERO_E2E_URL and LINDERO_DATA_DIR name no server';

/** What the program prints, given these arguments. */
export const lindero = async (...given) => (await promisify(execFile)(binary, given)).stdout;
export const PASSWORD = 'ceiba violeta 41 nubes';

/** The secret of the link that a command printed. */
export const secret = (said) => said.match(/#link=([\w-]+)/)[1];

/** Gives a new account its password, by its link. */
export async function setPassword(token) {
  const set = await fetch(new URL('session/link', SERVER), {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, password: PASSWORD }),
  });
  if (set.status !== 201) throw new Error(`the account's password was not taken: ${set.status}`);
}

/** An account that has a password, and a role. */
export async function makeAccount(name, role) {
  const said = await lindero('user', 'add', name);
  await lindero('user', 'assign', name, role);
  await setPassword(secret(said));
}

/** For `open(..., { before })`: the page is that of the account. */
export const comeIn = (name) => async (page) => {
  const answer = await page.context().request.post(new URL('session', SERVER).href, { data: { name, password: PASSWORD } });
  if (!answer.ok()) throw new Error(`the account did not come in: ${answer.status()}`);
};
