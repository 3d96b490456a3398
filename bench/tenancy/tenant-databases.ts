import { type EntityClass, type EntityName, MikroORM } from '@mikro-orm/core';
import { type AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { v7 as uuidv7 } from 'uuid';
import { type ContextTenant, runAs } from '#libs/context';
import { compareJsonByContent, engines, findByKey, Money, ormOptions } from '#libs/persistence';
import { addTenantPolicies, GuardedEntityManager, guardedDriver, RowSecurity, tenantSettings } from '#libs/tenancy';
import { Booking, DigitalItem, Item } from '../bulk/bulk-model.js';
import { type BenchEngine, createDatabase } from '../databases.js';

const ROLE = 'rowhouse_bench_app';
const ENTITIES = [Item, DigitalItem, Booking] as unknown as EntityClass[];
const ROWS_AT_ONCE = 2_000;

/** MikroORM's generics of it do not matter here. */
interface PlainFindOne {
  findOne(entity: EntityName, where: unknown, options?: unknown): Promise<object | null>;
}

const PlainEntityManager = SqlEntityManager as unknown as new (
  ...args: ConstructorParameters<typeof SqlEntityManager>
) => PlainFindOne & Omit<SqlEntityManager, 'findOne'>;

/** Reads rows by key the short way, as the guarded one does, and asks nobody whose they are. */
export class UnguardedEntityManager extends PlainEntityManager {
  override async findOne(entity: EntityName, where: unknown, options?: unknown): Promise<object | null> {
    const found = options ? undefined : await findByKey(this as unknown as SqlEntityManager, entity, where);
    return found === undefined ? super.findOne(entity, where, options) : found;
  }
}

/** One database, open twice: with all that keeps tenants apart, and with nothing of it. */
export interface TenantDatabase {
  readonly guarded: MikroORM<AbstractSqlDriver>;
  readonly bare: MikroORM<AbstractSqlDriver>;
  close(): Promise<void>;
}

export async function openTenantDatabase(engine: BenchEngine): Promise<TenantDatabase> {
  const { name } = engine;
  const database = await createDatabase(engine, ENTITIES, {
    entityManager: GuardedEntityManager,
    driver: guardedDriver(engines[name]),
    ...engines[name].carry?.(tenantSettings(ROLE)),
    discovery: {
      afterDiscovered: (metadata) => {
        compareJsonByContent(metadata);
        if (name === 'postgresql') addTenantPolicies(metadata);
      },
    },
  });
  const { orm: guarded } = database;
  if (name === 'postgresql') await new RowSecurity(ROLE).prepare({ id: 'bench', orm: guarded });
  const openBare = () =>
    MikroORM.init<AbstractSqlDriver>(
      ormOptions(database.url, {
        entities: ENTITIES,
        entityManager: UnguardedEntityManager as unknown as typeof SqlEntityManager,
      }),
    );
  const bare = await openBare();
  // Classes are given accessors by whichever instance discovers them last, and it makes their entities with less CPU (a tenth,
  // measured with the control twice). An application discovers them once; here it must be neither of the two.
  await (await openBare()).close(true);
  const close = async () => {
    await bare.close(true);
    await database.close();
  };
  return { guarded, bare, close };
}

export const aTenant = (slug = 'acme'): ContextTenant => ({ id: uuidv7(), slug });

export function asTenant<T>(tenant: ContextTenant, work: () => Promise<T>): Promise<T> {
  return runAs({ tenant, actor: { id: 'bench', type: 'job' } }, work);
}

export const forkOf = (orm: MikroORM<AbstractSqlDriver>) => orm.em.fork() as SqlEntityManager;

/** Items of a class-table hierarchy; gives their ids. */
export function addItems(orm: MikroORM<AbstractSqlDriver>, tenant: ContextTenant, count: number): Promise<string[]> {
  return asTenant(tenant, async () => {
    const em = forkOf(orm);
    const items = Array.from({ length: count }, (_, i) => {
      const values = { sku: `sku-${i}`, name: `Thing ${i}`, price: new Money(i, 'EUR'), downloadSizeKb: i };
      return em.create(DigitalItem, values as never);
    });
    await em.flush();
    return items.map(({ id }) => id);
  });
}

/** `total` bookings dealt out to `tenants`; gives whose each is. */
export async function dealBookings(
  orm: MikroORM<AbstractSqlDriver>,
  tenants: readonly ContextTenant[],
  total: number,
): Promise<{ tenant: ContextTenant; id: string }[]> {
  const dealt = Array.from({ length: total }, (_, i) => ({
    tenant: tenants[i % tenants.length] as ContextTenant,
    id: uuidv7(),
  }));
  for (let from = 0; from < total; from += ROWS_AT_ONCE) {
    const rows = dealt.slice(from, from + ROWS_AT_ONCE).map(({ tenant, id }) => {
      const amount = { amount_amount: 1, amount_currency: 'EUR' };
      return { tenantId: tenant.id, id, reference: id, subject: 'x', ...amount, cleared: false, bookedAt: new Date() };
    });
    await forkOf(orm).insertMany(Booking, rows as never);
  }
  return dealt;
}
