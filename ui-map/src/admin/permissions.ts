/** What roles may allow, in the order in which they are shown. */
export const PERMISSIONS = [
  'read_classified', 'read_reserved', 'read_personal', 'edit_features', 'manage_layers', 'manage_accounts',
  'manage_roles', 'read_audit', 'operate',
] as const;
