import { type EventArgs, type Opt, type Ref, Type } from '@mikro-orm/core';
import { BeforeUpdate, Embedded, Entity, ManyToOne, OneToOne, Property } from '@mikro-orm/decorators/legacy';
import {
  AuditCheckpoint,
  AuditEntry,
  Audited,
  AuditHold,
  AuditLog,
  AuditPurge,
  AuditSeal,
  AuditSubjectKey,
  NotAudited,
} from '#libs/audit';
import { LongTextType, Money, TenantOwned } from '#libs/persistence';
import { shopModel } from '#libs/testing';

/** Stands for encryption: the database holds, and everybody else sees, what nobody can read at a glance. */
export class SealedTextType extends Type<string, string> {
  override convertToDatabaseValue(value: string | null): string {
    if (value === null) return value as never;
    return `sealed:${Buffer.from(value).toString('base64')}`;
  }

  override convertToJSValue(value: string | null): string {
    if (value === null) return value as never;
    return Buffer.from(value.replace('sealed:', ''), 'base64').toString();
  }

  override getColumnType(): string {
    return 'varchar(200)';
  }
}

/** Left out by name. */
@NotAudited('a search index is made from other rows and can be made again')
@Entity({ tableName: 'search_term' })
export class SearchTerm extends TenantOwned {
  @Property({ type: 'string', length: 100 })
  term!: string;
}

/** A class with something of everything that a policy may say. */
@Audited<Account>({ secret: ['apiKey', 'limit.amount'], ignore: ['lastSeenAt'] })
@Entity({ tableName: 'account' })
export class Account extends TenantOwned {
  @Property({ type: 'string', length: 100 })
  name!: string;

  /** Made from the name in a hook. */
  @Property({ type: 'string', length: 100, nullable: true })
  slug?: string | null;

  @Property({ type: 'string', length: 100, nullable: true })
  apiKey?: string | null;

  /** Hidden from serialisation, and secret without being named. */
  @Property({ type: 'string', length: 100, nullable: true, hidden: true })
  passwordHash?: string | null;

  @Embedded(() => Money, { prefix: 'limit_' })
  limit: Money & Opt = new Money(0, 'EUR');

  @Property({ type: 'integer' })
  balance: number & Opt = 0;

  @Property({ type: 'Date', length: 3, nullable: true })
  lastSeenAt?: Date | null;

  @Property({ type: 'json', nullable: true })
  settings?: Record<string, unknown> | null;

  @Property({ type: LongTextType, nullable: true })
  notes?: string | null;

  @Property({ type: SealedTextType, nullable: true })
  iban?: string | null;

  /** Refers to what is not audited. */
  @ManyToOne(() => SearchTerm, {
    nullable: true,
    ref: true,
    joinColumns: ['tenant_id', 'last_search_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['last_search_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  lastSearch?: Ref<SearchTerm> | null;

  @OneToOne(
    () => Profile,
    (profile: Profile) => profile.account,
    { ref: true, nullable: true },
  )
  profile?: Ref<Profile> | null;

  @BeforeUpdate()
  deriveSlug({ entity }: EventArgs<Account>): void {
    if (entity.name) entity.slug = entity.name.toLowerCase();
  }
}

/** Somebody with a right to be forgotten. */
@Audited<Customer>({ personal: ['name', 'email'] })
@Entity({ tableName: 'customer' })
export class Customer extends TenantOwned {
  @Property({ type: 'string', length: 100 })
  name!: string;

  @Property({ type: 'string', length: 100, nullable: true })
  email?: string | null;

  @Property({ type: 'string', length: 20 })
  tier: string & Opt = 'basic';
}

/** A row that is about somebody, and not that person itself. */
@Audited<Delivery>({ personal: ['address'], subject: 'customer' })
@Entity({ tableName: 'delivery' })
export class Delivery extends TenantOwned {
  @ManyToOne(() => Customer)
  customer!: Customer;

  @Property({ type: 'string', length: 200 })
  address!: string;
}

/** One to one, and gone with its account: the database sees to that. */
@Entity({ tableName: 'profile' })
export class Profile extends TenantOwned {
  @Property({ type: 'string', length: 50 })
  nickname!: string;

  @OneToOne(
    () => Account,
    (account: Account) => account.profile,
    {
      owner: true,
      ref: true,
      joinColumns: ['tenant_id', 'account_id'],
      referencedColumnNames: ['tenant_id', 'id'],
      ownColumns: ['account_id'],
      deleteRule: 'cascade',
      updateRule: 'restrict',
    },
  )
  account!: Ref<Account>;
}

@Entity({ tableName: 'device' })
export class Device extends TenantOwned {
  @Property({ type: 'string', length: 50 })
  label!: string;

  @ManyToOne(() => Account, {
    ref: true,
    joinColumns: ['tenant_id', 'account_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['account_id'],
    deleteRule: 'cascade',
    updateRule: 'restrict',
  })
  account!: Ref<Account>;
}

/** What a tenant's database holds of its trail. */
const trailModel = [AuditEntry, AuditLog, AuditSeal, AuditCheckpoint, AuditPurge, AuditHold, AuditSubjectKey];

export const auditModel = [...shopModel, Account, Profile, Device, SearchTerm, Customer, Delivery, ...trailModel];
