import { type ArgumentMetadata, Injectable, type PipeTransform } from '@nestjs/common';
import { InvalidInputError } from './errors/invalid-input.error.js';
import type { InputError } from './problem.js';

/** A schema's complaint, as zod gives it. */
interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[];
  /** Names of properties that should not be there. */
  readonly keys?: readonly string[];
}

/** An RFC 6901 JSON pointer. */
function toPointer(path: readonly PropertyKey[]): string {
  return path.map((key) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

/**
 * Turns issues into input errors: pointers into a body, names of query and path parameters.
 * At most fifty: an array of a million wrong items must not become an answer of a million errors.
 */
export function toInputErrors(issues: readonly Issue[], type: ArgumentMetadata['type']): InputError[] {
  return issues.slice(0, 50).flatMap(({ message, path = [], keys = [] }) => {
    const segments = path.map((segment) => (typeof segment === 'object' ? segment.key : segment));
    const places = keys.length > 0 ? keys.slice(0, 50).map((key) => [...segments, key]) : [segments];
    const detail = keys.length > 0 ? 'This property is not known here.' : message;
    return places.map((place) =>
      type === 'body' ? { pointer: toPointer(place), detail } : { parameter: place.map(String).join('.'), detail },
    );
  });
}

/** Checks every body and query that declares a schema, and hands on what the schema made of it. */
@Injectable()
export class SchemaValidationPipe implements PipeTransform {
  async transform(value: unknown, { schema, type }: ArgumentMetadata): Promise<unknown> {
    if (!schema) return value;
    const result = await schema['~standard'].validate(value);
    if (result.issues) throw new InvalidInputError(toInputErrors(result.issues as readonly Issue[], type));
    return result.value;
  }
}
