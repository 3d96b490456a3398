import { type EntityClass, type EventArgs, type FlushEventArgs, JsonType } from '@mikro-orm/core';
import {
  AuditEntry,
  AuditRecorder,
  AuditTrail,
  type EntityState,
  type RevertResult,
  type StateDifference,
  type TrailEvent,
  type TrailPage,
  type TrailQuery,
  type VersionPage,
} from '#libs/audit';
import { Context, currentContext, enterContext, findContext } from '#libs/context';
import {
  type Change,
  type ChangeSubscriber,
  type CurrentEntityManager,
  runInSystemFrame,
  type TransactionScope,
} from '#libs/persistence';
import type { SuiteDatabase } from '#libs/testing';
import type { Control, ForgedEntry } from './audit-world.js';

type Owned = { readonly tenantId?: string; readonly id: string };

class OneByOneRecorder extends AuditRecorder {
  override async beforeCommit(changes: readonly Change[], scope: TransactionScope): Promise<void> {
    for (const change of changes) await super.beforeCommit([change], scope);
  }
}

class ForgivingRecorder extends AuditRecorder {
  override async beforeCommit(changes: readonly Change[], scope: TransactionScope): Promise<void> {
    await super.beforeCommit(changes, scope).catch(() => {});
  }
}

/** Tells of rows and of no links. */
class ForgetfulRecorder extends AuditRecorder {
  override async beforeCommit(changes: readonly Change[], scope: TransactionScope): Promise<void> {
    const without = changes.map(({ collections: _, ...change }) => change);
    await super.beforeCommit(without, scope);
  }
}

/** Remembers who came first, as a static variable or a connection's session does. */
class FirstContextRecorder extends AuditRecorder {
  #first: Context | undefined;

  override async beforeCommit(changes: readonly Change[], scope: TransactionScope): Promise<void> {
    this.#first ??= findContext();
    await enterContext(this.#first as Context, () => super.beforeCommit(changes, scope));
  }
}

class ContextlessRecorder extends AuditRecorder {
  override async beforeCommit(changes: readonly Change[], scope: TransactionScope): Promise<void> {
    await enterContext(new Context(), () => super.beforeCommit(changes, scope));
  }
}

/** The entries of every tenant, in the order of writing, page by offset. */
class CarelessTrail extends AuditTrail {
  readonly #database: SuiteDatabase;

  constructor(entityManager: CurrentEntityManager, database: SuiteDatabase) {
    super(entityManager, {});
    this.#database = database;
  }

  override async list({ limit = 50, cursor = '0', entity }: TrailQuery = {}): Promise<TrailPage> {
    const offset = Number(cursor);
    const where = entity ? { entityName: entity } : {};
    const entries = await this.#read(where, { orderBy: { id: 'desc' }, limit, offset });
    return { entries, nextCursor: entries.length < limit ? null : String(offset + limit) };
  }

  override async get(id: string): Promise<AuditEntry> {
    return (await this.#read({ id }))[0] as AuditEntry;
  }

  async #read(where: object, options: object = {}): Promise<AuditEntry[]> {
    const driver = this.#database.orm.em.getDriver();
    const rows = await runInSystemFrame('read carelessly', () => driver.find(AuditEntry, where, options as never));
    return rows.map((row) => Object.assign(Object.create(AuditEntry.prototype) as AuditEntry, row));
  }
}

/** Oldest first. */
class BackwardTrail extends AuditTrail {
  override async list(query?: TrailQuery): Promise<TrailPage> {
    const page = await super.list(query);
    return { ...page, entries: page.entries.toReversed() };
  }
}

/** Waits with an event until the work is flushed, and loses it when the work fails. */
class LateTrail extends AuditTrail {
  readonly #entityManager: CurrentEntityManager;

  constructor(entityManager: CurrentEntityManager) {
    super(entityManager, {});
    this.#entityManager = entityManager;
  }

  override async record({ action }: TrailEvent): Promise<void> {
    const entry = Object.assign(new AuditEntry(), { action, occurredAt: new Date(), actorType: 'user' });
    this.#entityManager.get().persist(entry);
  }
}

/** Keeps an event whatever becomes of the transaction it belongs to. */
class DetachedTrail extends AuditTrail {
  readonly #forge: (entry: ForgedEntry) => void;

  constructor(entityManager: CurrentEntityManager, forge: (entry: ForgedEntry) => void) {
    super(entityManager, {});
    this.#forge = forge;
  }

  override async record({ action }: TrailEvent): Promise<void> {
    this.#forge({ tenantId: currentContext().getTenant().id, action, entityName: '', entityId: '' });
  }
}

/** Knows nothing but the present, whatever version it is asked for. */
class PresentTrail extends AuditTrail {
  override async stateAt(entity: EntityClass, id: string): Promise<EntityState | undefined> {
    const { versions } = await super.versions(entity, id);
    const state = await super.stateAt(entity, id, versions.length);
    return state && { ...state, exists: true };
  }

  override async diff(entity: EntityClass, id: string): Promise<StateDifference> {
    const { versions } = await super.versions(entity, id);
    return super.diff(entity, id, versions.length, versions.length);
  }

  override async revert(): Promise<RevertResult> {
    return { restored: [], skipped: [], undeleted: false };
  }
}

/** Knows the versions of everybody's entities. */
class CarelessHistory extends CarelessTrail {
  override async versions(_entity: EntityClass, entityId: string): Promise<VersionPage> {
    const { entries } = await this.list();
    const own = entries.filter((entry) => entry.entityId === entityId);
    const versions = own.map((entry, index) => ({ version: index, action: 'update' as const, at: new Date(), entry }));
    return { versions, nextBefore: null };
  }
}

/**
 * Broken doubles, each in one way that is found in the wild. A case names the one that must turn it red; a case that
 * stays green under its control proves nothing.
 */
export const controls = {
  /** Records nothing. */
  silent: { recorder: () => ({}) },
  /** Hears entity events, and writes outside the transaction. */
  outside: {
    recorder: () => ({}),
    listener: (forge) => {
      const write = ({ entity, meta, changeSet }: EventArgs<object>) => {
        const { tenantId, id } = entity as Owned;
        if (tenantId) forge({ tenantId, action: changeSet?.type ?? '?', entityName: meta.className, entityId: id });
      };
      return { afterCreate: write, afterUpdate: write, afterDelete: write };
    },
  },
  /** Writes an entry for whatever a flush has in its hands, changed or not. */
  eager: {
    listener: (forge) => ({
      onFlush({ uow }: FlushEventArgs) {
        for (const entity of uow.getIdentityMap()) {
          const { tenantId = '', id } = entity as Owned;
          forge({ tenantId, action: 'update', entityName: entity.constructor.name, entityId: id });
        }
      },
    }),
  },
  /** Compares JSON as text. */
  textualJson: {
    discovery: {
      afterDiscovered(storage) {
        const types = [...storage.getAll().values()].flatMap((meta) => meta.props.map(({ customType }) => customType));
        // What `ormOptions` has put there goes: MikroORM's own comparison of the text is left.
        for (const type of types) if (type instanceof JsonType) type.compareValues = (a, b) => a === b;
      },
    },
  },
  /** Knows no policy: nothing is secret, ignored or left out. */
  talkative: {
    recorder: (forge): ChangeSubscriber => ({
      beforeCommit(changes) {
        for (const { kind, key, meta, old, new: after } of changes) {
          const values = Object.keys(after ?? old ?? {}).map((name) => [
            name,
            { old: old?.[name], new: after?.[name] },
          ]);
          const { tenantId, id } = key as Owned;
          const recorded = Object.fromEntries(values);
          forge({
            tenantId: tenantId ?? '',
            action: kind,
            entityName: meta.className,
            entityId: id,
            changes: recorded,
          });
        }
      },
    }),
  },
  /** Swallows what goes wrong. */
  forgiving: { recorder: () => new ForgivingRecorder() },
  /** Takes many-to-many links for no business of the trail's. */
  forgetful: { recorder: () => new ForgetfulRecorder() },
  /** A statement for every entry. */
  oneByOne: { recorder: () => new OneByOneRecorder() },
  /** Whoever came first did everything. The guard would stop it, like the next one, before it shows. */
  firstContext: { recorder: () => new FirstContextRecorder(), unguarded: true },
  /** Nobody did anything. */
  contextless: { recorder: () => new ContextlessRecorder(), unguarded: true },
  /** Entries can be changed. */
  writable: {
    discovery: {
      afterDiscovered: (storage) => {
        storage.get(AuditEntry).hooks = {};
      },
    },
  },
  /** Statements that no flush made go to the database unseen. */
  unguarded: { unguarded: true },
  /** Wants to know of everything, also of what is left out by name. */
  overzealous: { recorder: () => ({ beforeCommit: () => {} }) },
  carelessTrail: { trail: (entityManager, database) => new CarelessTrail(entityManager, database) },
  backwardTrail: { trail: (entityManager) => new BackwardTrail(entityManager, {}) },
  presentTrail: { trail: (entityManager) => new PresentTrail(entityManager, {}) },
  carelessHistory: { trail: (entityManager, database) => new CarelessHistory(entityManager, database) },
  lateTrail: { trail: (entityManager) => new LateTrail(entityManager) },
  detachedTrail: { trail: (entityManager, _, forge) => new DetachedTrail(entityManager, forge) },
} satisfies Record<string, Control>;

export type ControlName = keyof typeof controls;
