import { request, send } from './client';

export interface Account {
  id: string;
  name: string;
  full_name: string;
  dependency: string;
  has_password: boolean;
}

/** Where a right counts: what is not named is not bounded. */
export interface Reach {
  municipality?: string;
  dependency?: string;
  layer?: string;
}

export interface Right {
  permissions: string[];
  reach: Reach;
}

/** Who else says who somebody is; the browser goes to `href` to log in there. */
export interface Provider {
  id: string;
  title: string;
  href: string;
}

/** Who came in. `csrf` shows that a page is ours. */
export interface SessionDocument {
  account: Account | null;
  rights: Right[];
  csrf: string | null;
  providers: Provider[];
}

/** Where the browser goes on to end what it has at the identity provider, where it came in through one. */
export type LoggedOut = { end_session: string } | null;

export interface OpenSession {
  id: string;
  address: string | null;
  user_agent: string;
  last_seen_at: string;
}

export interface LinkDocument {
  for: 'first_administrator' | 'password';
  name: string | null;
}

export const getSession = (): Promise<SessionDocument> => request('session', {});
export const logIn = (name: string, password: string): Promise<SessionDocument> =>
  send('POST', 'session', { name, password }, null);
export const logOut = (csrf: string | null): Promise<LoggedOut> => send('DELETE', 'session', {}, csrf);
export const lookAtLink = (token: string): Promise<LinkDocument> => send('POST', 'session/link', { token }, null);
export const followLink = (token: string, name: string | null, password: string): Promise<SessionDocument> =>
  send('PUT', 'session/link', { token, name, password }, null);
export const changePassword = (present: string, next: string, csrf: string | null): Promise<null> =>
  send('PUT', 'session/password', { present, next }, csrf);
export const getSessions = (): Promise<{ sessions: OpenSession[] }> => request('session/list', {});
export const endSession = (id: string, csrf: string | null): Promise<null> =>
  send('DELETE', `session/list/${encodeURIComponent(id)}`, {}, csrf);
