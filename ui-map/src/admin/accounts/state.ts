import type { AdminKey } from '../texts/translate';
import type { Account } from '../types';

/** How an account is, for who looks at a list of them. */
export function stateOf(account: Account, now = Date.now()): { key: AdminKey; isGood: boolean } {
  if (account.is_disabled) return { key: 'accountClosed', isGood: false };
  if (account.expires_at && new Date(account.expires_at).getTime() <= now) return { key: 'accountExpired', isGood: false };
  if (account.kind === 'person' && !account.has_password && !account.provider) return { key: 'accountInvited', isGood: false };
  return { key: 'accountOpen', isGood: true };
}
