import type { Reviewed } from '../types';

/** An account that was not used for so long may be one that nobody needs any more. */
const IDLE_DAYS = 90;

/** When an account last came in, as a person or by a key. */
export const lastUse = ({ account, last_key_used_at }: Reviewed): string | null =>
  [account.last_login_at, last_key_used_at].filter((one) => one !== null).sort().at(-1) ?? null;

/** Whether it may come in, may do something, and has not for long. */
export function needsLook(one: Reviewed, now = Date.now()): boolean {
  const since = new Date(lastUse(one) ?? one.account.created_at).getTime();
  return one.standing === 'open' && one.roles.length > 0 && now - since > IDLE_DAYS * 24 * 3600 * 1000;
}
