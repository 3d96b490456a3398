import type { ApiDescription, JsonSchema } from './api-description.js';

/** Tried in turn where a text has to have a form: the first that fits is taken. */
const FORMS = [
  'EUR',
  '1',
  '2031-01-01T00:00:00.000Z',
  '2031-01-01',
  'x',
  'x@canary.example',
  'https://canary.example/',
];

let count = 0;

function isFitting(
  text: string,
  { pattern, minLength = 0, maxLength = Number.POSITIVE_INFINITY, allOf = [] }: JsonSchema,
): boolean {
  if (text.length < minLength || text.length > maxLength) return false;
  return [pattern, ...allOf.map((it) => it.pattern)].every((it) => it === undefined || new RegExp(it, 'u').test(text));
}

function sampleText(schema: JsonSchema, canary: string): string {
  // Never the same twice: much that has a name has one of its own.
  const unique = `${canary}-${++count}`;
  if (schema.format === 'email') return `${unique}@canary.example`;
  if (schema.format === 'uuid') return '0190a000-0000-7000-8000-000000000000';
  const candidates = schema.format === 'date-time' ? FORMS : [unique, ...FORMS];
  return candidates.find((it) => isFitting(it, schema)) ?? unique;
}

/**
 * A value that a schema accepts, with `canary` wherever it takes a text: required properties only, the first of several forms.
 * Good for most bodies; where it is not, a resource gives its own.
 */
export function sample(schema: JsonSchema, description: ApiDescription, canary: string): unknown {
  const follow = (it: JsonSchema) => sample(it, description, canary);
  if (schema.$ref !== undefined) {
    const name = schema.$ref.split('/').at(-1) ?? '';
    return follow((description.components?.schemas?.[name] ?? {}) as JsonSchema);
  }
  if (schema.example !== undefined) return schema.example;
  if (schema.const !== undefined) return schema.const;
  if (schema.default !== undefined) return schema.default;
  if (schema.enum) return schema.enum[0];
  const [form] = schema.oneOf ?? schema.anyOf ?? [];
  if (form) return follow(form);
  switch (schema.type) {
    case 'string':
      return sampleText(schema, canary);
    case 'integer':
    case 'number':
      return Math.max(1, schema.minimum ?? 1);
    case 'boolean':
      return true;
    case 'array':
      return Array.from({ length: schema.minItems ?? 0 }, () => follow(schema.items ?? {}));
    default:
      return Object.fromEntries((schema.required ?? []).map((name) => [name, follow(schema.properties?.[name] ?? {})]));
  }
}
