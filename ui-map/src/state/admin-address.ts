/**
 * Which page of the administration an address's fragment names: `#admin/accounts` is `accounts`, `#admin`
 * is the first. Null where it is the map's. The fragment stays in the browser: what is searched for is in
 * no log.
 */
export const adminPage = (hash: string): string | null => {
  const found = /^#admin(?:\/(.*))?$/.exec(hash);
  return found && (found[1] ?? '');
};

/** The permissions that open some page of the administration. */
export const ADMIN_PERMISSIONS = ['manage_accounts', 'manage_roles', 'manage_layers', 'read_audit', 'operate'];
