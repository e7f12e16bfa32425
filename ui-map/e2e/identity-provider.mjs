import { createServer } from 'node:http';

import { Provider } from 'oidc-provider';

/** The persons that the provider knows. The password is whatever is typed. */
const PERSONS = {
  eva: { name: 'Eva Prueba', preferred_username: 'eva.prueba', groups: ['sig'], department: 'Secretaría de Planeación' },
  nadie: { name: 'Nadie Prueba', preferred_username: 'nadie', groups: [], department: '' },
};

/** A certified OpenID provider on a free port, as the municipality's identity server. */
export async function startProvider() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${server.address().port}`;
  return {
    issuer,
    /** Begins to answer, for the server under test at that address. */
    serve(base) {
      const provider = new Provider(issuer, {
        clients: [
          {
            client_id: 'lindero',
            client_secret: 'the-secret-of-the-client',
            redirect_uris: [`${base}session/oidc/alcaldia/callback`],
            post_logout_redirect_uris: [base],
          },
        ],
        pkce: { required: () => true },
        claims: { openid: ['sub'], profile: ['name', 'preferred_username'], groups: ['groups', 'department'] },
        cookies: { keys: ['of the tests alone'] },
        findAccount: (_, sub) => PERSONS[sub] && { accountId: sub, claims: () => ({ sub, ...PERSONS[sub] }) },
      });
      server.on('request', provider.callback());
    },
    stop: () => new Promise((resolve) => server.close(resolve).closeAllConnections()),
  };
}
