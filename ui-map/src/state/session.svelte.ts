import type { Account, Provider, Right, SessionDocument } from '../api/session';
import * as api from '../api/session';

/** Who came in, and the dialog in which that is done. */
export class Session {
  account = $state.raw<Account | null>(null);
  rights = $state.raw<Right[]>([]);
  providers = $state.raw<Provider[]>([]);
  /** The secret of the one-time link by which the page was opened, until it was followed. */
  invitation = $state<string | null>(null);
  isOpen = $state(false);
  /** Whether the server said who is in. */
  isKnown = $state(false);
  #csrf: string | null = null;
  readonly #seenAnew: () => void;

  /** `seenAnew`: somebody came in or left. */
  constructor(invitation: string | null, seenAnew: () => void) {
    this.invitation = invitation;
    this.isOpen = invitation !== null;
    this.#seenAnew = seenAnew;
  }

  /** What shows the server that a request comes from a page of ours. */
  get csrf(): string | null {
    return this.#csrf;
  }

  /** Whether there is anything at all to which the account may do one of these. */
  may(...permissions: string[]): boolean {
    return this.rights.some((right) => permissions.some((permission) => right.permissions.includes(permission)));
  }

  /** Whether somebody is in from before. */
  async load(): Promise<void> {
    // Without an answer nobody is in: the map says what is wrong with the server.
    const document = await api.getSession().catch(() => null);
    if (document) this.#take(document);
    this.isKnown = true;
  }

  open(): void {
    this.isOpen = true;
  }

  close(): void {
    this.isOpen = false;
    this.invitation = null;
  }

  async logIn(name: string, password: string): Promise<void> {
    this.#take(await api.logIn(name, password));
    this.#seenAnew();
  }

  async follow(name: string | null, password: string): Promise<void> {
    this.#take(await api.followLink(this.invitation ?? '', name, password));
    this.invitation = null;
    this.#seenAnew();
  }

  async logOut(): Promise<void> {
    const left = await api.logOut(this.#csrf);
    this.#take({ account: null, rights: [], csrf: null, providers: this.providers });
    this.#seenAnew();
    if (left) location.assign(left.end_session);
  }

  changePassword(present: string, next: string): Promise<null> {
    return api.changePassword(present, next, this.#csrf);
  }

  async endSession(id: string): Promise<void> {
    await api.endSession(id, this.#csrf);
    const document = await api.getSession();
    this.#take(document);
    // It was this one.
    if (!document.account) this.#seenAnew();
  }

  /** Where the browser logs in at a provider, to come back to the map as it is now. */
  static at({ href }: Provider): string {
    const here = location.pathname + location.search + location.hash;
    return `${href}?${new URLSearchParams({ return: here })}`;
  }

  #take({ account, rights, csrf, providers }: SessionDocument): void {
    this.account = account;
    this.rights = rights;
    this.providers = providers;
    this.#csrf = csrf;
  }
}
