import { describe, expect, it } from 'vitest';

import type { Reviewed } from '../types';
import { lastUse, needsLook } from './review';

const NOW = new Date('2026-06-30T12:00:00Z').getTime();
const account = (change: Partial<Reviewed['account']> = {}, more: Partial<Reviewed> = {}): Reviewed => ({
  account: { id: '', name: 'eva', created_at: '2026-01-01T00:00:00Z', last_login_at: null, ...change } as Reviewed['account'],
  standing: 'open',
  roles: [{ id: '', role: 'planner', expires_at: null, assigned_at: '', permissions: [] }],
  keys: 0,
  last_key_used_at: null,
  last_action_at: null,
  last_action: null,
  ...more,
});

describe('a review of access', () => {
  it('takes the last time that an account came in, as a person or by a key', () => {
    expect(lastUse(account())).toBeNull();
    const both = account({ last_login_at: '2026-02-01T00:00:00Z' }, { last_key_used_at: '2026-03-01T00:00:00Z' });
    expect(lastUse(both)).toBe('2026-03-01T00:00:00Z');
  });

  it('asks to look at what may do something and did not come in for long', () => {
    expect(needsLook(account(), NOW)).toBe(true);
    expect(needsLook(account({ last_login_at: '2026-06-01T00:00:00Z' }), NOW)).toBe(false);
    expect(needsLook(account({ created_at: '2026-06-01T00:00:00Z' }), NOW)).toBe(false);
    expect(needsLook(account({}, { standing: 'closed' }), NOW)).toBe(false);
    expect(needsLook(account({}, { roles: [] }), NOW)).toBe(false);
  });
});
