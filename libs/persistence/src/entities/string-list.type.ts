import { Type } from '@mikro-orm/core';

/**
 * A list of short strings in a text column, as JSON text: `["a","b"]`. Text rather than the engine's JSON type, so that it
 * is stored byte for byte alike on every engine and one item can be looked for with one SQL everywhere (`hasItem`).
 */
export class StringListType extends Type<string[], string> {
  override convertToDatabaseValue(value: string[]): string {
    return JSON.stringify(value);
  }

  override convertToJSValue(value: string | string[]): string[] {
    return typeof value === 'string' ? (JSON.parse(value) as string[]) : value;
  }

  override getColumnType(): string {
    return 'text';
  }

  override compareAsType(): string {
    return 'string';
  }
}
