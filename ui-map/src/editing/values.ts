import type { Attribute, Collection } from '../api/types';
import type { Schema, SchemaProperty } from './api';
import type { EditingKey } from './texts';

/** How an attribute is filled in. */
export interface Field {
  attribute: Attribute;
  kind: 'choice' | 'yesno' | 'integer' | 'number' | 'date' | 'date_time' | 'json' | 'lines' | 'line';
  required: boolean;
  readOnly: boolean;
  min: number | null;
  max: number | null;
  maxLength: number | null;
}

/** Texts that may be longer than this have room for several lines. */
const LINE = 200;

/** The form of a layer: of its catalogue entry, and what its schema says besides. */
export function fieldsOf(collection: Collection, schema: Schema | null): Field[] {
  const { attributes } = collection.lindero;
  return attributes.map((attribute): Field => {
    const said: SchemaProperty = schema?.properties?.[attribute.name] ?? {};
    const range = attribute.domain?.range;
    return {
      attribute,
      kind: kindOf(attribute, said),
      required: attribute.required ?? schema?.required?.includes(attribute.name) ?? false,
      readOnly: said.readOnly === true || said['x-ogc-role'] === 'id',
      min: range?.min ?? said.minimum ?? null,
      max: range?.max ?? said.maximum ?? null,
      maxLength: said.maxLength ?? null,
    };
  });
}

function kindOf({ type, domain }: Attribute, { maxLength }: SchemaProperty): Field['kind'] {
  if (domain?.values && domain.values.length > 0) return 'choice';
  if (type === 'boolean') return 'yesno';
  if (type === 'text') return (maxLength ?? 0) > LINE ? 'lines' : 'line';
  return type;
}

/** What a field shows of a value. */
export function shownValue({ kind }: Field, value: unknown): string {
  if (value === null || value === undefined) return '';
  if (kind === 'json') return JSON.stringify(value, null, 1);
  // The reader's time of day, which the browser's own field takes.
  if (kind === 'date_time') return localTime(String(value));
  return String(value);
}

function localTime(instant: string): string {
  const date = new Date(instant);
  if (Number.isNaN(date.getTime())) return instant;
  // Swedish writes dates as ISO 8601 does.
  return new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' }).format(date).replace(' ', 'T');
}

/** What was typed, as the attribute holds it; or what is wrong with it. */
export function readValue(field: Field, typed: string): { value: unknown } | { fault: EditingKey } {
  const { kind, attribute, min, max } = field;
  if (typed.trim() === '') return { value: null };
  switch (kind) {
    case 'choice':
      return { value: attribute.domain?.values?.find(({ value }) => String(value) === typed)?.value ?? typed };
    case 'yesno':
      return { value: typed === 'true' };
    case 'integer':
    case 'number': {
      const value = Number(typed);
      if (!Number.isFinite(value) || (kind === 'integer' && !Number.isInteger(value))) return { fault: 'notNumber' };
      return (min !== null && value < min) || (max !== null && value > max) ? { fault: 'outOfRange' } : { value };
    }
    case 'date_time': {
      const date = new Date(typed);
      return Number.isNaN(date.getTime()) ? { value: typed } : { value: date.toISOString() };
    }
    case 'json':
      try {
        return { value: JSON.parse(typed) as unknown };
      } catch {
        return { fault: 'notJson' };
      }
    default:
      return { value: typed };
  }
}
