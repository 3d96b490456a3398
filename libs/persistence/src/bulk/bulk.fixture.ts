import { type Opt, type Ref, Type } from '@mikro-orm/core';
import {
  Embeddable,
  Embedded,
  Entity,
  Enum,
  ManyToOne,
  PrimaryKey,
  Property,
  Unique,
} from '@mikro-orm/decorators/legacy';
import { type Actor, type ContextTenant, runAs } from '#libs/context';
import { Money } from '../entities/money.js';
import { StringListType } from '../entities/string-list.type.js';
import { TenantOwned } from '../entities/tenant-owned.js';

function backwards<T extends string | null | undefined>(value: T): T {
  return typeof value === 'string' ? ([...value].reverse().join('') as T) : value;
}

/** Stored backwards, so that a write past the type shows. */
class BackwardsType extends Type<string, string> {
  override convertToDatabaseValue = backwards<string>;
  override convertToJSValue = backwards<string>;
  override getColumnType = () => 'varchar(100)';
  override compareAsType = () => 'string';
}

/** What a specimen stands on. */
@Entity({ tableName: 'shelf' })
export class Shelf extends TenantOwned {
  @Property({ type: 'string', length: 100 })
  name!: string;
}

@Embeddable()
export class Place {
  @Property({ type: 'string' })
  city!: string;

  @Property({ type: 'string', fieldName: 'zip_code', nullable: true })
  zip?: string;
}

export const moods = ['calm', 'wild'] as const;

/** One column of every kind. */
@Entity({ tableName: 'specimen' })
@Unique({ properties: ['tenantId', 'code'] })
export class Specimen extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  code!: string;

  @Property({ type: 'bigint', nullable: true })
  big?: bigint | null;

  @Property({ type: 'bigint', runtimeType: 'number', nullable: true })
  size?: number | null;

  @Property({ type: 'decimal', precision: 12, scale: 2, nullable: true })
  weight?: string | null;

  @Property({ type: 'double', nullable: true })
  ratio?: number | null;

  @Property({ type: 'integer', default: 3 })
  legs: number & Opt = 4;

  @Property({ type: 'boolean' })
  isAlive: boolean & Opt = true;

  @Property({ type: 'date', nullable: true })
  foundOn?: string | null;

  @Property({ type: 'Date', length: 3, nullable: true })
  seenAt?: Date | null;

  /** Whole seconds, where the engine knows lengths. */
  @Property({ type: 'Date', length: 0, nullable: true })
  fedAt?: Date | null;

  @Property({ type: 'text', nullable: true })
  note?: string | null;

  @Property({ type: 'json', nullable: true })
  data?: unknown;

  @Property({ type: 'blob', nullable: true })
  picture?: Buffer | null;

  @Property({ type: 'string[]', nullable: true })
  names?: string[] | null;

  @Property({ type: StringListType, nullable: true })
  labels?: string[] | null;

  @Enum({ items: () => [...moods], type: 'string', nullable: true })
  mood?: (typeof moods)[number] | null;

  @Property({ type: BackwardsType, nullable: true })
  secret?: string | null;

  @Embedded(() => Money, { nullable: true })
  value?: Money | null;

  @Embedded(() => Place, { object: true, nullable: true })
  home?: Place | null;

  @Embedded(() => Place, { array: true, nullable: true })
  trips?: Place[] | null;

  /** Filled in by the table. */
  @Property({ type: 'integer', defaultRaw: '7' })
  rank!: number & Opt;

  @Property({ type: 'string', onCreate: (specimen: Specimen) => specimen.code.toLowerCase() })
  slug!: string & Opt;

  @Property({ type: 'Date', length: 3, onCreate: () => new Date(), onUpdate: () => new Date() })
  touchedAt!: Date & Opt;

  @ManyToOne(() => Shelf, {
    nullable: true,
    ref: true,
    joinColumns: ['tenant_id', 'shelf_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['shelf_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  shelf?: Ref<Shelf> | null;
}

/** The constructor has the last word. */
@Entity({ tableName: 'invoice' })
@Unique({ properties: ['tenantId', 'number'] })
export class Invoice extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  readonly number: string;

  @Property({ type: 'string', length: 20, nullable: true })
  note?: string;

  constructor(number: string) {
    super();
    this.number = number.toUpperCase();
  }
}

/** Made from its details, as domain objects often are. */
@Entity({ tableName: 'ticket', discriminatorColumn: 'kind', discriminatorValue: 'plain' })
export class Ticket extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  readonly kind!: string & Opt;

  @Property({ type: 'string', length: 60 })
  readonly subject: string;

  @Property({ type: 'integer' })
  priority: number & Opt;

  constructor(details: { readonly subject: string; readonly priority?: number }) {
    super();
    if (details.subject === 'nothing') throw new RangeError('a ticket is about something');
    this.subject = details.subject;
    this.priority = details.priority ?? 2;
  }
}

/** No constructor of its own, but an initialiser. */
@Entity({ discriminatorValue: 'urgent' })
export class UrgentTicket extends Ticket {
  @Property({ type: 'string', length: 20, nullable: true })
  phone = 'unknown';
}

/** Three tables deep, without tenants. */
@Entity({ tableName: 'animal', inheritance: 'tpt' })
export class Animal {
  @PrimaryKey({ type: 'integer' })
  id!: number;

  @Property({ type: 'string', length: 30 })
  name!: string;
}

@Entity({ tableName: 'dog' })
export class Dog extends Animal {
  @Property({ type: 'string', length: 30, unique: true })
  tag!: string;

  @Embedded(() => Money, { prefix: 'fee_' })
  fee!: Money;
}

@Entity({ tableName: 'puppy' })
export class Puppy extends Dog {
  @Property({ type: 'integer' })
  weeks!: number;
}

/** No table of its own. */
@Entity({ expression: 'select count(*) as n from shelf' })
export class ShelfCount {
  @Property({ type: 'integer' })
  n!: number;
}

export const bulkModel = [Shelf, Specimen, Invoice, Ticket, UrgentTicket, Animal, Dog, Puppy, ShelfCount];

const ACTOR: Actor = { id: 'spec', type: 'job' };

/** Runs `work` for a tenant. */
export function as<T>(tenant: ContextTenant, work: () => Promise<T>): Promise<T> {
  return runAs({ tenant, actor: ACTOR }, work);
}

/** The error `work` ends with, or a failure. */
export async function errorOf<T>(work: Promise<T>): Promise<unknown> {
  return work.then(
    () => {
      throw new Error('It was expected to fail, and did not.');
    },
    (error: unknown) => error,
  );
}
