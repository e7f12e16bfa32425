/** A row of the audit trail, as `GET /admin/audit` has it. */
export interface AuditRow {
  id: number;
  at: string;
  action: string;
  outcome: string;
  account: string | null;
  account_name: string;
  dependency: string;
  session: string | null;
  key: string | null;
  address: string | null;
  request: string;
  municipality: string | null;
  layer: string | null;
  subject: string;
  detail: Record<string, unknown> | null;
  database_role: string;
  application: string;
}

export interface AuditPage {
  rows: AuditRow[];
  /** The address of the rows before these. */
  next: string | null;
}

/** How the trail is sealed, as `GET /admin/audit/seal` has it. */
export interface Seal {
  seal: { position: number; digest: string; at: string } | null;
  unsealed: number;
  unsealed_since: string | null;
  verification: { at: string; rows: number; found: number } | null;
}

/** What is written down, in the order in which it is offered. */
export const ACTIONS: string[] = [
  'log_in', 'log_out', 'end_session', 'set_password', 'create_link', 'create_account', 'change_account', 'assign', 'unassign',
  'change_role', 'create_key', 'revoke_key', 'describe_layer', 'edit_features', 'add_attachment', 'remove_attachment',
  'cancel_job', 'attempt', 'read_reserved', 'import', 'export', 'export_audit', 'publish', 'unpublish', 'remove_layer',
];

export const OUTCOMES = ['done', 'failed', 'denied'] as const;
