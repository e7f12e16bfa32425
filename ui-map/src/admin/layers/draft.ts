import type { LayerAttribute, LayerDefinition, LayerValue, Said } from '../types';

/** What a form shows of a value of an attribute. */
export interface DraftValue {
  value: string;
  es: string;
  en: string;
  /** Empty: the map chooses one. */
  color: string;
}

/** What a form shows of an attribute. */
export interface DraftAttribute {
  name: string;
  type: string;
  es: string;
  en: string;
  unit: string;
  /** Empty: whoever sees the layer sees it. */
  visibility: string;
  legalReason: string;
  minZoom: string;
  values: DraftValue[];
  /** Whether it may have a list of values. */
  isListable: boolean;
}

/** What a form shows of a layer. */
export interface Draft {
  titleEs: string;
  titleEn: string;
  descriptionEs: string;
  descriptionEn: string;
  sector: string;
  visibility: string;
  legalReason: string;
  dependency: string;
  custodian: string;
  source: string;
  licence: string;
  frequency: string;
  label: string;
  classifyBy: string;
  minZoom: string;
  attributes: DraftAttribute[];
}

const said = (text: Said | undefined) => ({ es: text?.es ?? '', en: text?.en ?? '' });

export const draftOf = (definition: LayerDefinition): Draft => ({
  titleEs: said(definition.title).es,
  titleEn: said(definition.title).en,
  descriptionEs: said(definition.description).es,
  descriptionEn: said(definition.description).en,
  sector: definition.sector,
  visibility: definition.visibility,
  legalReason: definition.legal_reason ?? '',
  dependency: definition.dependency ?? '',
  custodian: definition.custodian ?? '',
  source: definition.source ?? '',
  licence: definition.licence ?? '',
  frequency: definition.update_frequency,
  label: definition.label ?? '',
  classifyBy: definition.classify_by ?? '',
  minZoom: String(definition.min_zoom),
  attributes: definition.attributes.map(draftAttribute),
});

const draftAttribute = (attribute: LayerAttribute): DraftAttribute => ({
  name: attribute.name,
  type: attribute.type,
  ...said(attribute.title),
  unit: attribute.unit ?? '',
  visibility: attribute.visibility ?? '',
  legalReason: attribute.legal_reason ?? '',
  minZoom: String(attribute.min_zoom ?? 0),
  values: (attribute.domain?.values ?? []).map(({ value, title, color }) => ({ value, ...said(title), color: color ?? '' })),
  isListable: ['text', 'integer'].includes(attribute.type) && !attribute.domain?.range && attribute.domain?.pattern === undefined,
});

/** The change that makes one draft of another: what differs, and nothing else. */
export function changeOf(before: Draft, after: Draft): Record<string, unknown> {
  const change: Record<string, unknown> = {};
  const same = <K extends keyof Draft>(...keys: K[]) => keys.every((key) => before[key] === after[key]);
  if (!same('titleEs', 'titleEn')) change.title = { es: after.titleEs, en: after.titleEn };
  if (!same('descriptionEs', 'descriptionEn')) change.description = { es: after.descriptionEs, en: after.descriptionEn };
  for (const [key, member] of [
    ['sector', 'sector'], ['visibility', 'visibility'], ['legalReason', 'legal_reason'], ['dependency', 'dependency'],
    ['custodian', 'custodian'], ['source', 'source'], ['licence', 'licence'], ['frequency', 'update_frequency'],
  ] as const) {
    if (!same(key)) change[member] = after[key];
  }
  if (!same('label')) change.label = after.label || null;
  if (!same('classifyBy')) change.classify_by = after.classifyBy || null;
  if (!same('minZoom')) change.min_zoom = Number(after.minZoom);
  const attributes = after.attributes.flatMap((attribute) => {
    const known = before.attributes.find(({ name }) => name === attribute.name);
    const changed = known ? changeOfAttribute(known, attribute) : {};
    return Object.keys(changed).length > 0 ? [{ name: attribute.name, ...changed }] : [];
  });
  if (attributes.length > 0) change.attributes = attributes;
  return change;
}

function changeOfAttribute(before: DraftAttribute, after: DraftAttribute): Record<string, unknown> {
  const change: Record<string, unknown> = {};
  if (before.es !== after.es || before.en !== after.en) change.title = { es: after.es, en: after.en };
  if (before.unit !== after.unit) change.unit = after.unit || null;
  if (before.visibility !== after.visibility) change.visibility = after.visibility || null;
  if (before.legalReason !== after.legalReason) change.legal_reason = after.legalReason;
  if (before.minZoom !== after.minZoom) change.min_zoom = Number(after.minZoom);
  if (JSON.stringify(before.values) !== JSON.stringify(after.values)) {
    change.values = after.values.map(({ value, es, en, color }): LayerValue => ({ value, title: { es, en }, color: color || null }));
  }
  return change;
}

/** Where in the form a refused member is: `attributes[0].x` of the change is of the attribute of that name. */
export function fieldOf(change: Record<string, unknown>, parameter: string | null): string | null {
  const found = /^attributes\[(\d+)\]\.(.*)$/.exec(parameter ?? '');
  if (!found) return parameter;
  const sent = (change.attributes as { name: string }[] | undefined)?.[Number(found[1])];
  return sent ? `${sent.name}.${found[2]}` : parameter;
}
