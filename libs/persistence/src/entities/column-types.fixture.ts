import type { Opt } from '@mikro-orm/core';
import { Embedded, Entity, Enum, Property } from '@mikro-orm/decorators/legacy';
import { DecimalTextType } from './decimal-text.type.js';
import { Money } from './money.js';
import { TenantOwned } from './tenant-owned.js';

/** A column of each type that entities are meant to use. */
@Entity({ tableName: 'sample' })
export class Sample extends TenantOwned {
  @Property({ type: 'bigint', nullable: true })
  big?: bigint | null;

  @Property({ type: DecimalTextType, precision: 30, scale: 6, nullable: true })
  decimal?: string | null;

  @Property({ type: 'json', nullable: true })
  json?: unknown;

  @Property({ type: 'Date', length: 3, nullable: true })
  instant?: Date | null;

  @Property({ type: 'date', nullable: true })
  day?: string | null;

  @Embedded(() => Money, { prefix: 'price_', nullable: true })
  price?: Money | null;

  @Property({ type: 'string', length: 10, nullable: true })
  short?: string | null;

  @Enum({ items: ['red', 'green'], nullable: true })
  colour?: 'red' | 'green' | null;

  @Property({ type: 'integer', unsigned: true, nullable: true })
  count?: number | null;

  @Property({ type: 'double', nullable: true })
  ratio?: number | null;

  @Property({ type: 'boolean', nullable: true })
  flag?: boolean | null;

  @Property({ type: 'blob', nullable: true })
  bytes?: Buffer | null;

  @Property({ type: 'integer', version: true })
  readonly version!: number & Opt;
}
