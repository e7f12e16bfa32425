/** The documents of the HTTP API, as docs/src/developer/http-contract.md has them. */

export type Lang = 'es' | 'en';

/** A text in both languages of the application. */
export type Text = Record<Lang, string>;

/** West, south, east, north in degrees (CRS84). */
export type Bounds = [west: number, south: number, east: number, north: number];

export interface Municipality {
  code: string;
  name: string;
  department: string;
  inhabitants: number | null;
  extent: Bounds | null;
}

export interface Landing {
  title: string;
  lindero: { version: string; municipalities: Municipality[]; changes?: string };
}

export interface DomainValue {
  value: string | number | boolean;
  title: Text;
  color?: string | null;
}

export interface Domain {
  values?: DomainValue[];
  range?: { min: number | null; max: number | null };
}

export type AttributeType = 'text' | 'integer' | 'number' | 'boolean' | 'date' | 'date_time' | 'json';

export interface Attribute {
  name: string;
  type: AttributeType;
  title: Text;
  unit: string | null;
  domain?: Domain | null;
  required?: boolean;
}

export interface LayerInfo {
  municipality: string;
  kind: 'managed' | 'published';
  title: Text;
  description: Text;
  sector: string;
  sectorTitle: Text;
  sectorRank: number;
  geometryType: string;
  featureCount: number;
  visibility: string;
  subject: string;
  dependency?: string | null;
  custodian?: string | null;
  source?: string | null;
  licence?: string | null;
  updateFrequency?: string | null;
  updated?: string | null;
  overdue: boolean;
  naturalKey?: string | null;
  label?: string | null;
  classifyBy?: string | null;
  minZoom?: number | null;
  attributes: Attribute[];
  /** Whether the caller may edit its features. */
  editable?: boolean;
  /** Since when the versions of its features are kept (RFC 3339); none where they are not. */
  history?: string | null;
}

export interface Collection {
  id: string;
  title: string;
  description?: string;
  extent?: { spatial?: { bbox?: number[][] } } | null;
  lindero: LayerInfo;
}

export interface Catalogue {
  collections: Collection[];
}

export type FeatureId = string | number;

export interface Feature {
  type: 'Feature';
  id?: FeatureId;
  geometry: GeoJSON.Geometry | null;
  properties: Record<string, unknown> | null;
}

export interface Items {
  type: 'FeatureCollection';
  features: Feature[];
  numberMatched?: number;
  numberReturned: number;
}

export interface SearchResult {
  kind: 'feature' | 'coordinate';
  collection?: string;
  collectionTitle?: string;
  id?: string;
  title: string;
  subtitle?: string | null;
  bbox: Bounds;
}

export interface HereGroup {
  id: string;
  title: string;
  sector: string;
  numberReturned: number;
  features: Feature[];
}

export interface Here {
  point: [lon: number, lat: number];
  truncated: boolean;
  collections: HereGroup[];
}

/** RFC 9457. */
export interface Problem {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  parameter?: string;
  /** What a document of its kind says besides. */
  [member: string]: unknown;
}
