import { type EntityProperty, type Platform, Type } from '@mikro-orm/core';
import { isSqlite } from './exact-integers.js';

const DECIMAL = /^([+-]?)0*(\d*)(?:\.(\d+))?$/;

/**
 * Decimal numbers as text, exact to the last digit on every engine. SQLite has no decimals: in a `numeric` column it keeps
 * a binary fraction of 15 digits. There the column is text instead, which finds equal values but neither sorts nor sums
 * by size; the others have their `numeric(precision, scale)`. Values always have `scale` digits behind the point.
 *
 * @example
 * @Property({ type: DecimalTextType, precision: 20, scale: 4 })
 * rate!: string;
 */
export class DecimalTextType extends Type<string | null, string | null> {
  override convertToDatabaseValue(value: string | number | null | undefined): string | null {
    return value === null || value === undefined ? null : this.#exact(String(value));
  }

  override convertToJSValue(value: string | number | null | undefined): string | null {
    return value === null || value === undefined ? null : this.#exact(String(value));
  }

  /** Without this, `7.5` and `7.500` would be a change. */
  override compareValues(a: unknown, b: unknown): boolean {
    return a === b;
  }

  override getColumnType(prop: EntityProperty, platform: Platform): string {
    return isSqlite(platform) ? 'text' : platform.getDecimalTypeDeclarationSQL(prop);
  }

  override compareAsType(): string {
    return 'string';
  }

  /** @throws {TypeError} for what the column cannot hold as it is: a database would round it, each in its way */
  #exact(value: string): string {
    const { precision = 10, scale = 0, name = 'decimal' } = this.prop ?? {};
    const [, sign = '', whole = '', fraction = ''] = DECIMAL.exec(value) ?? [];
    const digits = fraction.replace(/0+$/, '');
    const isEmpty = !/\d/.test(value) || !DECIMAL.test(value);
    if (isEmpty || digits.length > scale || whole.length > precision - scale)
      throw new TypeError(`${name} must be a decimal with ${precision} digits, ${scale} of them behind the point.`);
    const text = (whole || '0') + (scale > 0 ? `.${digits.padEnd(scale, '0')}` : '');
    return sign === '-' && /[1-9]/.test(text) ? `-${text}` : text;
  }
}
