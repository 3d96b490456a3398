import { sql } from 'kysely';
import type { EngineName } from '#libs/persistence';
import type { IsolationStrategyName, Placement } from '#libs/tenancy';
import { type PlacedTestTenant, Tag } from '#libs/testing';
import { BOTH, type IsolationCase } from '../isolation-case.js';
import { type Attempt, as, type Shop } from '../isolation-world.js';

const CHANGED = 'changed by a case';

const placementOf = ({ tenant }: Shop): Placement => (tenant as PlacedTestTenant).placement;
/** What the target's place is called in SQL: a schema, or on MySQL and MariaDB a database. */
const placeOf = ({ target }: Attempt): string =>
  placementOf(target).schemaName ?? placementOf(target).databaseName ?? '';
const keyOf = ({ target }: Attempt) => ({ tenantId: target.tenant.id, id: target.tag });

/** Naming another place in SQL. */
const byName: readonly IsolationCase[] = [
  {
    title: 'raw SQL that names it',
    closedBy: ['statements'],
    attempt: (it) => it.em.execute(`select * from ${placeOf(it)}.tag`),
  },
  {
    title: 'raw SQL that names it and the tenant of its rows',
    closedBy: ['statements'],
    attempt: (it) => it.em.execute(`select * from ${placeOf(it)}.tag where tenant_id = ?`, [it.target.tenant.id]),
  },
  {
    title: 'a write that names it',
    closedBy: ['statements'],
    attempt: (it) => it.em.execute(`update ${placeOf(it)}.tag set name = '${CHANGED}'`),
  },
  {
    title: 'a join of the own rows with those of it',
    closedBy: ['statements'],
    attempt: (it) => it.em.execute(`select b.* from ${placeOf(it)}.tag a join ${placeOf(it)}.tag b on a.id = b.id`),
  },
  {
    title: 'Kysely that names it',
    closedBy: ['statements'],
    attempt: (it) => sql`select * from ${sql.table(`${placeOf(it)}.tag`)}`.execute(it.em.getKysely()),
  },
];

/** Text that names no place, which must not mean the one where a connection happens to be. */
const unnamed: readonly IsolationCase[] = [
  {
    title: 'raw SQL that names none',
    closedBy: ['statements'],
    attempt: (it) => it.em.execute('select * from tag where tenant_id = ?', [it.target.tenant.id]),
  },
  {
    title: 'a write that names none',
    closedBy: ['statements'],
    attempt: (it) => it.em.execute(`update tag set name = '${CHANGED}' where tenant_id = ?`, [it.target.tenant.id]),
  },
];

/** Going to another place and staying there: MySQL's databases, and the search path. */
function byGoing(statement: (it: Attempt) => string): readonly IsolationCase[] {
  return [
    {
      title: 'a connection that is told to go there',
      closedBy: ['statements'],
      attempt: (it) =>
        it.em.transactional(async (tx) => {
          await tx.execute(statement(it));
          return tx.execute('select * from tag');
        }),
    },
  ];
}

/** MikroORM's own ways to name a schema. */
const bySchema: readonly IsolationCase[] = [
  {
    title: 'an option of find',
    closedBy: BOTH,
    attempt: (it) => it.em.find(Tag, { tenantId: it.target.tenant.id }, { schema: placeOf(it), filters: false }),
  },
  {
    title: 'an option of findOne',
    closedBy: BOTH,
    attempt: (it) => it.em.findOne(Tag, keyOf(it), { schema: placeOf(it) }),
  },
  {
    title: 'an option of nativeUpdate',
    closedBy: BOTH,
    attempt: (it) => it.em.nativeUpdate(Tag, keyOf(it), { name: CHANGED }, { schema: placeOf(it) }),
  },
  {
    title: 'a fork',
    closedBy: BOTH,
    attempt: (it) => it.em.fork({ schema: placeOf(it) }).find(Tag, { tenantId: it.target.tenant.id }),
  },
  {
    title: 'the query builder',
    closedBy: BOTH,
    attempt: (it) =>
      it.em
        .createQueryBuilder(Tag)
        .select('*')
        .withSchema(placeOf(it))
        .where({ tenantId: it.target.tenant.id })
        .execute(),
  },
  {
    title: 'an entity that was loaded there',
    closedBy: BOTH,
    attempt: async (it) => {
      const there = it.em.fork({ schema: placeOf(it) });
      const tag = await as(it.target.tenant, () => there.findOneOrFail(Tag, keyOf(it)));
      tag.name = CHANGED;
      it.em.persist(tag);
      await it.em.flush();
    },
  },
];

/** A file is a place that any connection of SQLite can be told of. */
const byFile: readonly IsolationCase[] = [
  {
    title: 'a file that is attached',
    closedBy: ['statements'],
    attempt: async (it) => {
      const folder = String(((await it.em.execute('pragma database_list')) as { file: string }[])[0]?.file).replace(
        /[^/]*$/,
        '',
      );
      const files = (await import('node:fs')).readdirSync(folder).filter((file) => file.includes(placeOf(it)));
      await it.em.execute(
        `attach database '${folder}${files.find((file) => file.endsWith('.sqlite')) ?? files[0]}' as there`,
      );
      try {
        return await it.em.execute('select * from there.tag');
      } finally {
        await it.em.execute('detach database there');
      }
    },
  },
];

/** Ways from the own place to another one, where a strategy gives each tenant a place. */
export function placesOf(strategy: IsolationStrategyName, engine: EngineName): readonly IsolationCase[] {
  if (strategy === 'schema') {
    return [
      ...byName,
      ...unnamed,
      ...bySchema,
      ...(engine === 'postgresql' ? byGoing((it) => `set local search_path = ${placeOf(it)}`) : []),
    ];
  }
  if (strategy === 'search-path') return [...byName, ...byGoing((it) => `set local search_path = ${placeOf(it)}`)];
  if (strategy === 'database' && engine === 'sqlite') return byFile;
  // On PostgreSQL no statement reaches another database.
  if (strategy === 'database' && engine !== 'postgresql') return byName;
  return [];
}
