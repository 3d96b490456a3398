import { Collection, type Opt, type Ref } from '@mikro-orm/core';
import { Entity, ManyToOne, OneToMany, OneToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { StringListType } from '../entities/string-list.type.js';
import type { Change } from './change.js';
import type { ChangeSubscriber } from './change-subscriber.js';
import type { TransactionScope } from './transaction-scope.js';

/** A class of the central database: its key comes from the database. */
@Entity({ tableName: 'ledger' })
export class Ledger {
  @PrimaryKey({ type: 'integer', autoincrement: true })
  readonly id!: number;

  @Property({ type: 'string', length: 100 })
  name!: string;

  @Property({ type: 'integer' })
  balance: number & Opt = 0;

  @Property({ type: 'integer', nullable: true })
  limit?: number | null;

  @Property({ type: StringListType, nullable: true })
  marks?: string[] | null;

  /** Its pages go with it, in the database. */
  @OneToMany(
    () => Page,
    (page: Page) => page.ledger,
  )
  readonly pages = new Collection<Page>(this);

  @OneToOne(
    () => Cover,
    (cover: Cover) => cover.ledger,
    { ref: true, nullable: true },
  )
  cover?: Ref<Cover> | null;
}

@Entity({ tableName: 'page' })
export class Page {
  @PrimaryKey({ type: 'integer', autoincrement: true })
  readonly id!: number;

  @Property({ type: 'text', lazy: true, nullable: true })
  text?: string;

  @ManyToOne(() => Ledger, { ref: true, deleteRule: 'cascade' })
  ledger!: Ref<Ledger>;

  @ManyToOne(() => Page, { ref: true, nullable: true, deleteRule: 'set null' })
  next?: Ref<Page> | null;
}

/** One to one, unique and nullable: MikroORM moves such values in updates outside its change sets. */
@Entity({ tableName: 'cover' })
export class Cover {
  @PrimaryKey({ type: 'integer', autoincrement: true })
  readonly id!: number;

  @Property({ type: 'string', length: 20 })
  colour!: string;

  @OneToOne(
    () => Ledger,
    (ledger: Ledger) => ledger.cover,
    { owner: true, ref: true, nullable: true, deleteRule: 'set null' },
  )
  ledger?: Ref<Ledger> | null;
}

export const ledgerModel = [Ledger, Page, Cover];

/** A change as specs compare it: names instead of mappings. */
export interface SeenChange {
  kind: string;
  entity: string;
  key: unknown;
  old?: unknown;
  new?: unknown;
  collections?: unknown;
}

/** Keeps what it is told. */
export class RecordingSubscriber implements ChangeSubscriber {
  changes: SeenChange[] = [];
  events: string[] = [];

  beforeCommit(changes: readonly Change[], scope: TransactionScope): void | Promise<void> {
    this.events.push(`beforeCommit ${changes.length}${scope.parent ? ' in savepoint' : ''}`);
    for (const { meta, ...change } of changes) this.changes.push({ entity: meta.className, ...change });
  }

  afterCommit(): void {
    this.events.push('afterCommit');
  }

  afterRollback(scope: TransactionScope): void {
    this.events.push(scope.parent ? 'afterRollback of savepoint' : 'afterRollback');
  }

  /** What was seen since the last call. */
  take(): SeenChange[] {
    this.events = [];
    return this.changes.splice(0);
  }
}
