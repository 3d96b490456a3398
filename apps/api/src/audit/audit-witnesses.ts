import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import {
  AuditReconciler,
  AuditTrail,
  dropWitnessSql,
  TenantRoster,
  type UnrecordedChange,
  witnessSql,
} from '#libs/audit';
import { type Actor, type ContextTenant, runAs } from '#libs/context';
import { CurrentEntityManager, getEngine, runInSystemFrame } from '#libs/persistence';

const actor: Actor = { id: 'audit-witnesses', type: 'system' };

/** Where tenants' tables are: one database, or one schema of it. */
interface Place {
  readonly database: string;
  readonly schema: string | undefined;
  /** Some tenant whose rows are there. */
  readonly tenant: ContextTenant;
}

/** A change that nobody recorded, and whose row it was. */
export interface UnrecordedChangeOfTenant extends UnrecordedChange {
  readonly tenant: string;
}

/** Witnesses of the databases of all tenants, and what they have noted. */
@Injectable()
export class AuditWitnesses {
  constructor(
    private readonly roster: TenantRoster,
    private readonly entityManager: CurrentEntityManager,
    private readonly reconciler: AuditReconciler,
    private readonly trail: AuditTrail,
  ) {}

  /** Databases and schemas on PostgreSQL that hold rows of tenants. Others have no witnesses. */
  async places(): Promise<Place[]> {
    const places = new Map<string, Place>();
    for await (const tenant of this.roster.all()) {
      const place = await this.#at(tenant, (em) => placeOf(em, tenant));
      if (place) places.set(`${place.database} ${place.schema}`, place);
    }
    return [...places.values()];
  }

  /** Puts witnesses on the tables of a place, or takes them away. In one transaction; they may be there already. */
  async install({ tenant, schema }: Place, { remove = false } = {}): Promise<void> {
    await this.#at(tenant, async (em) => {
      const statements = (remove ? dropWitnessSql : witnessSql)(em.getMetadata(), schema);
      await runInSystemFrame('install witnesses', () =>
        em.fork().transactional(async (transaction) => {
          for (const sql of statements) await transaction.execute(sql);
        }),
      );
    });
  }

  /**
   * Puts witnesses on the tables of a tenant's new place when there are some at its old one. Call it when the rows are there:
   * on the way they would be noted. Products without witnesses, and tables that are shared, stay as they are.
   * @returns whether the new place goes without, and the old one did not
   */
  async follow(old: ContextTenant, fresh: ContextTenant, isShared: boolean): Promise<boolean> {
    if (!(await this.#isWatched(old)) || (await this.#isWatched(fresh))) return false;
    const place = await this.#at(fresh, (em) => placeOf(em, fresh));
    if (!place || isShared) return true;
    await this.install(place);
    return false;
  }

  #isWatched(tenant: ContextTenant): Promise<boolean> {
    return this.#at(tenant, async (em) => {
      const place = placeOf(em, tenant);
      if (!place) return false;
      const sql = `select 1 as found from pg_trigger t join pg_class c on c.oid = t.tgrelid
        where t.tgname = 'audit_witness' and c.relnamespace = to_regnamespace('${place.schema ?? 'public'}') limit 1`;
      return runInSystemFrame('look for witnesses', async () => (await em.fork().execute<unknown[]>(sql)).length > 0);
    });
  }

  /** Whatever it shows is on record as read. @throws {WitnessesMissingError} */
  async reconcile(tenant: ContextTenant, from?: Date): Promise<UnrecordedChangeOfTenant[]> {
    const changes = await this.#at(tenant, async () => {
      const found = await this.reconciler.reconcile(from && { from });
      if (found.length > 0) await this.trail.record({ action: 'audit_read', details: { unrecorded: found.length } });
      return found;
    });
    return changes.map((change) => ({ tenant: tenant.slug, ...change }));
  }

  #at<T>(tenant: ContextTenant, fn: (em: SqlEntityManager) => T | Promise<T>): Promise<T> {
    return runAs({ tenant, actor }, () => fn(this.entityManager.get()));
  }
}

function placeOf(em: SqlEntityManager, tenant: ContextTenant): Place | undefined {
  const url = String(em.config.get('clientUrl') ?? '');
  if (url === '' || getEngine(url).name !== 'postgresql') return undefined;
  const { schemaName } = (tenant as { placement?: { schemaName?: string | null } }).placement ?? {};
  const { pathname, host } = new URL(url);
  return { database: host + pathname, schema: schemaName ?? undefined, tenant };
}
