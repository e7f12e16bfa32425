/** The documents of `/admin`, as the description of the API (`/api`) has them. */

import type { Reach } from '../api/session';
import type { Text } from '../api/types';

export type Said = Partial<Text>;

export interface HoursWindow {
  days: string[];
  from: string;
  to: string;
}

export interface Account {
  id: string;
  name: string;
  kind: 'person' | 'system';
  full_name: string;
  email: string;
  municipality: string | null;
  dependency: string;
  has_password: boolean;
  provider: string | null;
  is_disabled: boolean;
  expires_at: string | null;
  created_at: string;
  last_login_at: string | null;
  networks: string[];
  hours: HoursWindow[];
}

export interface Assignment extends Reach {
  id: string;
  role: string;
  expires_at: string | null;
  assigned_at: string;
  /** The identity provider by whose rules the account has it. */
  provider?: string | null;
}

/** An account in the review of who may do what. */
export interface Reviewed {
  account: Account;
  standing: 'open' | 'closed' | 'ended';
  roles: (Assignment & { permissions: string[] })[];
  keys: number;
  last_key_used_at: string | null;
  last_action_at: string | null;
  last_action: string | null;
}

export interface Role {
  id: string;
  title: string;
  title_en: string;
  permissions: string[];
}

export interface Key {
  id: string;
  title: string;
  prefix: string;
  permissions: string[] | null;
  expires_at: string | null;
  last_used_at: string | null;
  created_at: string;
  revoked_at: string | null;
}

export interface Session {
  id: string;
  method: string;
  address: string | null;
  user_agent: string;
  created_at: string;
  last_seen_at: string;
  expires_at: string;
}

export type Visibility = 'publica' | 'clasificada' | 'reservada';

export interface LayerSummary {
  id: string;
  municipality: string;
  kind: 'managed' | 'published';
  title: Said;
  sector: string;
  sector_title: Said;
  visibility: Visibility;
  subject: string;
  dependency: string;
  geometry_type: string;
  feature_count: number;
  content_updated_at: string;
  overdue: boolean;
  classified_attributes: number;
}

export interface LayerValue {
  value: string;
  title?: Said;
  color?: string | null;
}

export interface LayerAttribute {
  name: string;
  type: string;
  title?: Said;
  unit?: string;
  domain?: { values?: LayerValue[]; range?: { min: number; max: number }; pattern?: string };
  min_zoom?: number;
  visibility?: Visibility;
  legal_reason?: string;
}

export interface LayerDefinition {
  title: Said;
  description?: Said;
  sector: string;
  visibility: Visibility;
  legal_reason?: string;
  dependency?: string;
  custodian?: string;
  source?: string;
  licence?: string;
  update_frequency: string;
  label?: string;
  classify_by?: string;
  min_zoom: number;
  attributes: LayerAttribute[];
}

export interface ManagedLayer extends LayerSummary {
  version: string;
  definition: LayerDefinition;
}

export interface Job {
  id: string;
  kind: string;
  subject: string;
  state: 'running' | 'done' | 'failed' | 'cancelled' | 'interrupted';
  done: number;
  total: number | null;
  message: string | null;
  report: Record<string, number | boolean> | null;
  cancel_requested: boolean;
  started_at: string;
  finished_at: string | null;
}

export type Status = 'ok' | 'warning' | 'problem';

export interface Health {
  status: Status;
  version: string;
  started_at: string;
  checked_at: string;
  memory_bytes: number | null;
  checks: { check: string; status: Status; figures: Record<string, number | string | boolean | null> }[];
}
