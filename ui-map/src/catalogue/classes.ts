import type { Attribute, Collection, DomainValue, Text } from '../api/types';

/** Hatches of areas and forms of marks: what tells classes apart for those who do not see the colours. */
export const HATCHES = ['cross', 'diagonal', 'dots', 'back', 'horizontal', 'vertical', 'grid', 'rows', 'columns'] as const;
/** The last is of the features of no listed class alone. */
export const FORMS = ['circle', 'square', 'triangle', 'diamond', 'pentagon', 'wedge', 'bar', 'column', 'star', 'cross'] as const;
export type Hatch = (typeof HATCHES)[number];
export type Form = (typeof FORMS)[number];

/** Dashes of lines, in multiples of the line's width; the first class is drawn through. */
export const DASHES: number[][] = [
  [1, 0], [3, 1.4], [1.2, 1.2], [5, 1.4, 1.2, 1.4], [0.6, 1.6], [2, 0.7], [8, 1.4], [0.6, 0.6], [4, 1.2, 0.6, 1.2, 0.6, 1.2],
];
const OTHER_DASH = [0.4, 3];
const CLASS_FORMS = FORMS.slice(0, -1);

/** One line of a legend: a class of features, and how it is drawn. */
export interface LegendClass {
  /** The value of `classifyBy`; null for the features of no listed class, or of a layer without classes. */
  value: DomainValue['value'] | null;
  title: Text | null;
  color: string;
  hatch: Hatch | null;
  form: Form;
  dash: number[];
}

/** Told apart by people with each kind of colour blindness (after Okabe and Ito), darkened to 3:1 on the light map. */
const PALETTE = ['#0072b2', '#c1440e', '#008561', '#a3548a', '#9a6700', '#4b5cc4', '#b3202c', '#4d7c0f', '#0e7490', '#6d4c41'];

const NO_CLASS_COLOR = '#7a7f85';

const at = <T>(list: readonly T[], index: number): T => list[index % list.length] as T;

/** A stable number from an id, so that a layer keeps its colour whatever else the server holds. */
function hash(text: string): number {
  let sum = 2166136261;
  for (let i = 0; i < text.length; i += 1) sum = Math.imul(sum ^ text.charCodeAt(i), 16777619);
  return sum >>> 0;
}

/** The layers that every municipality has, and that are looked at together, have each a colour of their own. */
const OWN_COLOR: Partial<Record<string, number>> = {
  barrios: 3,
  comunas: 1,
  corregimientos: 5,
  veredas: 7,
  limite_municipal: 6,
  manzanas: 2,
  centros_poblados: 9,
  rutas_transporte: 0,
  areas_reforestadas: 8,
  cam: 4,
  nomenclatura_vial: 9,
};

const isColor = (text: string | null | undefined): text is string => /^#[0-9a-f]{6}$/i.test(text ?? '');

/** The attribute by whose values a layer is drawn in classes, where its domain lists any. */
export function classifier(collection: Collection): (Attribute & { domain: { values: DomainValue[] } }) | null {
  const attribute = collection.lindero.attributes.find((a) => a.name === collection.lindero.classifyBy);
  const values = attribute?.domain?.values;
  return attribute && values && values.length > 0 ? { ...attribute, domain: { values } } : null;
}

/** How a layer is drawn, class by class. The last of several is for values that the domain does not list. */
export function classesOf(collection: Collection): LegendClass[] {
  const attribute = classifier(collection);
  const base = hash(collection.id);
  if (!attribute) {
    return [{ value: null, title: null, color: at(PALETTE, OWN_COLOR[collection.id] ?? base), hatch: null, form: at(CLASS_FORMS, base >>> 8), dash: at(DASHES, 0) }];
  }
  const classes = attribute.domain.values.map(
    (value, index): LegendClass => ({
      value: value.value,
      title: value.title,
      color: isColor(value.color) ? value.color : at(PALETTE, index),
      hatch: at(HATCHES, index),
      form: at(CLASS_FORMS, index),
      dash: at(DASHES, index),
    }),
  );
  classes.push({ value: null, title: null, color: NO_CLASS_COLOR, hatch: null, form: 'cross', dash: OTHER_DASH });
  return classes;
}
