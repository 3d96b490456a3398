import { type Opt, type Rel, Type } from '@mikro-orm/core';
import {
  Embeddable,
  Embedded,
  Entity,
  Enum,
  Filter,
  Formula,
  Index,
  ManyToOne,
  OneToOne,
  PrimaryKey,
  Property,
} from '@mikro-orm/decorators/legacy';
import { LongTextType, Money, StringListType, TenantOwned } from '../index.js';

/** A type of the application's own: a point in memory, text in the database. */
class PointType extends Type<{ x: number; y: number } | undefined, string | undefined> {
  override convertToDatabaseValue(value: { x: number; y: number } | undefined) {
    return value && `${value.x};${value.y}`;
  }

  override convertToJSValue(value: string | undefined) {
    const [x = 0, y = 0] = value?.split(';').map(Number) ?? [];
    return value == null ? undefined : { x, y };
  }

  override getColumnType() {
    return 'varchar(40)';
  }
}

@Embeddable()
class Address {
  @Property({ type: 'string' })
  city!: string;

  @Property({ type: 'Date' })
  since!: Date;
}

/** One of every column type that holds one value. */
abstract class EveryColumn extends TenantOwned {
  @Property({ type: 'string', length: 100 })
  name!: string;

  @Property({ type: 'text', nullable: true })
  text?: string | null;

  @Property({ type: LongTextType, nullable: true })
  longText?: string | null;

  @Property({ type: 'text', nullable: true, lazy: true })
  lazyText?: string | null;

  @Property({ type: 'bigint', nullable: true })
  big?: bigint | null;

  @Property({ type: 'double', nullable: true })
  double?: number | null;

  @Property({ type: 'decimal', precision: 12, scale: 3, nullable: true })
  decimal?: string | null;

  @Property({ type: 'boolean', nullable: true })
  flag?: boolean | null;

  @Property({ type: 'Date', length: 3, nullable: true })
  instant?: Date | null;

  @Property({ type: 'date', nullable: true })
  day?: string | null;

  @Property({ type: 'uuid', nullable: true })
  other?: string | null;

  @Property({ type: 'json', nullable: true })
  json?: unknown;

  @Property({ type: StringListType, nullable: true })
  list?: string[] | null;

  @Property({ type: PointType, nullable: true })
  point?: { x: number; y: number } | null;

  @Property({ type: 'blob', nullable: true })
  bytes?: Buffer | null;

  @Enum({ items: ['red', 'green'], nullable: true })
  colour?: 'red' | 'green' | null;

  @Embedded(() => Money, { prefix: 'price_', nullable: true })
  price?: Money | null;

  @Property({ type: 'integer', version: true })
  readonly version!: number & Opt;
}

@Entity({ tableName: 'values_only' })
export class ValuesOnly extends EveryColumn {}

@Entity({ tableName: 'everything' })
export class Everything extends EveryColumn {
  @Embedded(() => Address, { object: true, nullable: true })
  address?: Address | null;
}

/** A foreign key that shares the tenant's column. */
function foreignKey(name: string) {
  return {
    joinColumns: ['tenant_id', `${name}_id`],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: [`${name}_id`],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  };
}

/** Loads more than its own row. */
@Entity({ tableName: 'eager_one' })
export class EagerOne extends TenantOwned {
  @ManyToOne(() => Everything, { ...foreignKey('everything'), eager: true })
  everything!: Everything;
}

/** Hides some rows. */
@Filter({ name: 'visible', cond: { hidden: false }, default: true })
@Entity({ tableName: 'filtered_one' })
@Index({ properties: ['tenantId', 'hidden'] })
export class FilteredOne extends TenantOwned {
  @Property({ type: 'boolean' })
  hidden!: boolean;
}

/** Computes a value in its SQL. */
@Entity({ tableName: 'computed_one' })
export class ComputedOne extends TenantOwned {
  @Property({ type: 'integer' })
  half!: number;

  @Formula((columns: { half: string }) => `${columns.half} * 2`, { type: 'integer' })
  whole!: number & Opt;
}

/** Is pointed at: its row alone does not tell by whom. */
@Entity({ tableName: 'pointed_at' })
export class PointedAt extends TenantOwned {
  @OneToOne(
    () => Pointing,
    (pointing: Pointing) => pointing.at,
  )
  by?: Rel<Pointing>;
}

@Entity({ tableName: 'pointing' })
export class Pointing extends TenantOwned {
  @OneToOne(() => PointedAt, { owner: true, ...foreignKey('at') })
  at!: PointedAt;
}

/** Belongs to nobody, and has a number for a key. */
@Entity({ tableName: 'numbered' })
export class Numbered {
  @PrimaryKey({ type: 'integer', autoincrement: false })
  id!: number;

  @Property({ type: 'string', length: 20 })
  name!: string;
}

export const finderModel = [Everything, ValuesOnly, EagerOne, FilteredOne, ComputedOne, PointedAt, Pointing, Numbered];
