import { Type } from '@mikro-orm/core';
import type { ReadableInChanges } from '../events/change.js';

/**
 * A list of short strings in a text column, as JSON text: `["a","b"]`. Text rather than the engine's JSON type, so that it
 * is stored byte for byte alike on every engine and one item can be looked for with one SQL everywhere (`hasItem`).
 */
export class StringListType extends Type<string[] | null, string | null> implements ReadableInChanges {
  override convertToDatabaseValue(value: string[] | null): string | null {
    // MikroORM asks for null, too, and the text "null" is a value.
    return value === null ? null : JSON.stringify(value);
  }

  override convertToJSValue(value: string | string[] | null): string[] | null {
    return typeof value === 'string' ? (JSON.parse(value) as string[]) : value;
  }

  /** A list again, in the changes that subscribers see. */
  toChangedValue(stored: unknown): unknown {
    return typeof stored === 'string' ? JSON.parse(stored) : stored;
  }

  override getColumnType(): string {
    return 'text';
  }

  override compareAsType(): string {
    return 'string';
  }
}
