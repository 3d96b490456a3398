import type { EventSubscriber, MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { v7 as uuidv7 } from 'uuid';
import {
  AuditEntry,
  AuditPause,
  AuditRecorder,
  type AuditRecorderOptions,
  AuditTrail,
  type RecordedChanges,
} from '#libs/audit';
import { type Actor, type ContextSeed, type ContextTenant, currentContext, runAs } from '#libs/context';
import {
  ChangeEventsSubscriber,
  type ChangeSubscriber,
  CurrentEntityManager,
  engines,
  type OrmOverrides,
  runInSystemFrame,
} from '#libs/persistence';
import { GuardedEntityManager, guardedDriver, type IsolationStrategyName } from '#libs/tenancy';
import { aDatabase, aTenant, type SuiteDatabase, type TestEngine } from '#libs/testing';
import { auditModel } from './audit.model.js';
import { aPlacedDatabase } from './placed-database.js';

/** An entry as cases compare it. */
export interface SeenEntry extends Omit<Partial<AuditEntry>, 'changes'> {
  readonly changes: RecordedChanges;
}

/** An entry that a control writes past everything that is under test. */
export interface ForgedEntry {
  readonly tenantId: string;
  readonly action: string;
  readonly entityName: string;
  readonly entityId: string;
  readonly changes?: RecordedChanges;
}

/** What a control puts in the place of the real thing. */
export interface Control {
  /** Instead of the recorder. */
  readonly recorder?: (forge: (entry: ForgedEntry) => void) => ChangeSubscriber;
  /** Beside it. */
  readonly listener?: (forge: (entry: ForgedEntry) => void) => EventSubscriber;
  readonly trail?: (
    entityManager: CurrentEntityManager,
    database: SuiteDatabase,
    forge: (entry: ForgedEntry) => void,
  ) => AuditTrail;
  readonly discovery?: OrmOverrides['discovery'];
  /** Without the guard's look at statements. */
  readonly unguarded?: boolean;
}

const UNIT_OF_WORK = Symbol('unit of work');

/** The application's way, without HTTP: a unit of work per context, guarded, its changes reported to the recorder. */
export class ContextEntityManager extends CurrentEntityManager {
  constructor(private readonly database: Pick<SuiteDatabase, 'fork'>) {
    super();
  }

  get(): SqlEntityManager {
    currentContext().getTenant();
    return currentContext().resource(UNIT_OF_WORK, () => this.database.fork());
  }
}

/** Where the tenants of the cases have their rows. */
export interface AuditDatabase extends SuiteDatabase {
  /** The same as its administrator sees it: plain names are the tables of this tenant's place. */
  ormOf?(tenant: ContextTenant): MikroORM<AbstractSqlDriver>;
  /** A new tenant for a case, where places are for one tenant. */
  own?(): Promise<ContextTenant>;
  /** A tenant beside that of the case, whose rows lie at another place where places are for one tenant. */
  another?(slug: string): Promise<ContextTenant>;
}

/** What a case works with. Every case has a tenant of its own in a database that it shares. */
export class AuditWorld {
  readonly actor: Actor = { id: 'u-1', type: 'user', email: 'ada@acme.test' };
  readonly pause: AuditPause;

  constructor(
    readonly database: AuditDatabase,
    readonly trail: AuditTrail,
    readonly entityManager: CurrentEntityManager,
    private readonly forged: ForgedEntry[] = [],
    readonly tenant: ContextTenant = aTenant('acme'),
  ) {
    this.pause = new AuditPause(trail);
  }

  /** Runs `fn` as the case's actor, in a context of its own, with its unit of work; flushes nothing. */
  as<T>(fn: (em: SqlEntityManager) => Promise<T>, seed: ContextSeed = {}): Promise<T> {
    return runAs({ tenant: this.tenant, actor: this.actor, ...seed }, () => fn(this.entityManager.get()));
  }

  /** Like `as`, and flushes. */
  async write<T>(fn: (em: SqlEntityManager) => T | Promise<T>, seed?: ContextSeed): Promise<T> {
    return this.as(async (em) => {
      const result = await fn(em);
      await em.flush();
      return result;
    }, seed);
  }

  /** Entries of a tenant in the order of writing, as they lie in the table, past every wall. */
  entries(tenant: ContextTenant = this.tenant): Promise<SeenEntry[]> {
    return runInSystemFrame('look at entries', () => this.#readEntries(tenant));
  }

  async #readEntries(tenant: ContextTenant): Promise<SeenEntry[]> {
    const { id: tenantId } = tenant;
    const driver = this.#ormOf(tenant).em.getDriver();
    for (const entry of this.forged.splice(0)) {
      const row = {
        ...entry,
        id: uuidv7(),
        occurredAt: new Date(),
        actorType: 'forged',
        changes: JSON.stringify(entry.changes ?? {}),
      };
      await driver.nativeInsert(AuditEntry, row as never);
    }
    const rows = await driver.find(AuditEntry, { tenantId }, { orderBy: { id: 'asc' } });
    return rows.map((row) => ({ ...row, changes: JSON.parse(row.changes as string) as RecordedChanges }) as SeenEntry);
  }

  /** Entries that `fn` adds. */
  async entriesOf(fn: () => Promise<unknown>): Promise<SeenEntry[]> {
    const before = (await this.entries()).length;
    await fn();
    return (await this.entries()).slice(before);
  }

  /** Raw SQL, as an administrator would send it, where the tenant's rows lie. */
  execute(sql: string, values: unknown[] = [], tenant: ContextTenant = this.tenant): Promise<unknown> {
    return runInSystemFrame('administer', () => this.#ormOf(tenant).em.getConnection().execute(sql, values));
  }

  /** Another tenant. */
  async another(slug = 'globex'): Promise<ContextTenant> {
    return (await this.database.another?.(slug)) ?? aTenant(slug);
  }

  #ormOf(tenant: ContextTenant) {
    return this.database.ormOf?.(tenant) ?? this.database.orm;
  }
}

/** What a suite's database and the things under test are to be. */
export interface AuditWorldOptions {
  /** How tenants are kept apart; default `row`. */
  readonly strategy?: IsolationStrategyName;
  readonly control?: Control;
  readonly recorder?: AuditRecorderOptions;
}

/** Declares the database of a suite; gives a fresh world, with a tenant of its own, for each case. */
export function anAuditWorld(engine: TestEngine, options: AuditWorldOptions = {}): () => Promise<AuditWorld> {
  const { strategy = 'row', control = {}, recorder: recorderOptions = {} } = options;
  const forged: ForgedEntry[] = [];
  const forge = (entry: ForgedEntry) => void forged.push(entry);
  const recorder = control.recorder?.(forge) ?? new AuditRecorder(recorderOptions);
  const onError = (error: unknown) => {
    throw error;
  };
  const listener = control.listener?.(forge);
  const overrides: OrmOverrides = {
    ...(control.unguarded && { driver: engines[engine.name].driver }),
    subscribers: [new ChangeEventsSubscriber({ subscribers: [recorder], onError }), ...(listener ? [listener] : [])],
    ...(control.discovery && { discovery: control.discovery }),
  };
  const database =
    strategy === 'row' ? aSharedDatabase(engine, overrides) : aPlacedDatabase(engine, strategy, overrides);
  const entityManager = new ContextEntityManager(database);
  const trail = control.trail?.(entityManager, database, forge) ?? new AuditTrail(entityManager, {});
  return async () => new AuditWorld(database, trail, entityManager, forged, await database.own?.());
}

/** Tables that all tenants share. */
function aSharedDatabase(engine: TestEngine, overrides: OrmOverrides): AuditDatabase {
  const walls = { driver: guardedDriver(engines[engine.name]), entityManager: GuardedEntityManager };
  return aDatabase(engine, auditModel, { ...walls, ...overrides });
}
