import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MikroORM, PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { engines, ormOptions, runInSystemFrame } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver, StatementRefusedError } from '#libs/tenancy';
import { aDatabase, eachEngine, type SuiteDatabase } from '#libs/testing';
import { as } from './isolation-world.js';
import { randomOf, StatementMaker, TABLES } from './statement-maker.js';

/** SEED=<n> repeats a run, STATEMENTS=<n> makes it longer. */
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const STATEMENTS = Number(process.env.STATEMENTS ?? 0);

/** Text for a tenant's id, so that a statement can confuse it with a name on every engine. */
abstract class Owned {
  [PrimaryKeyProp]?: ['tenantId', 'id'];
  @PrimaryKey({ type: 'string', length: 36 })
  tenantId!: string;
  @PrimaryKey({ type: 'string', length: 36 })
  id!: string;
  @Property({ type: 'string', length: 36, nullable: true })
  name?: string;
  @Property({ type: 'integer', nullable: true })
  n?: number;
}
@Entity({ tableName: 'tag' })
class Tag extends Owned {}
@Entity({ tableName: 'product' })
class Product extends Owned {}
@Entity({ tableName: 'link' })
class Link extends Owned {}
const model = [Tag, Product, Link];

/** Ids and names are the same in both tenants, so that a join that forgets the tenant finds a match. */
const ROWS: Readonly<Record<string, readonly (readonly [string, string, number])[]>> = {
  own: [
    ['1', 'a', 1],
    ['2', 'b', 2],
  ],
  foreign: [
    ['1', 'b', 2],
    ['2', 'own', 3],
    ['3', 'a', 1],
  ],
};

async function fill(database: SuiteDatabase, ...tenants: readonly string[]): Promise<void> {
  const em = database.fork();
  for (const table of TABLES) {
    for (const tenant of tenants) {
      for (const row of ROWS[tenant] ?? []) {
        await em.execute(`insert into ${table} (tenant_id, id, name, n) values (?, ?, ?, ?)`, [tenant, ...row]);
      }
    }
  }
}

const textOf = (rows: object[]) =>
  rows
    .map((row) => JSON.stringify(Object.values(row)))
    .sort()
    .join();

/** What the statement answers; on a change, the rows afterwards: the own ones, and whether others differ. */
async function outcomeOf(em: SqlEntityManager, sql: string): Promise<string> {
  const rowsOf = (operator: '=' | '<>') =>
    runInSystemFrame('look at all rows', async () => {
      const all: string[] = [];
      for (const table of TABLES)
        all.push(textOf(await em.execute(`select * from ${table} where tenant_id ${operator} 'own'`)));
      return all.join('|');
    });
  await em.begin();
  try {
    if (sql.startsWith('select')) return textOf(await em.execute(sql));
    const others = await rowsOf('<>');
    await em.execute(sql, [], 'run');
    return `${await rowsOf('=')}${others === (await rowsOf('<>')) ? '' : ', and rows of others changed'}`;
  } catch (error) {
    if (error instanceof StatementRefusedError) throw error;
    return 'error';
  } finally {
    await em.rollback();
  }
}

/**
 * What isolation means: an accepted statement answers on a database of two tenants exactly as on one that never held the
 * other. Checked on random statements, through the guard as applications have it.
 */
describe(`non-interference (SEED=${SEED})`, () => {
  eachEngine((engine) => {
    const statements = STATEMENTS || (engine.name === 'sqlite' ? 8_000 : 2_000);
    const both = aDatabase(engine, model);
    const alone = aDatabase(engine, model);
    const tried: { sql: string; accepted: boolean; valid: boolean; interferes: boolean }[] = [];
    let orm: MikroORM<AbstractSqlDriver>;

    async function tryStatement(sql: string): Promise<void> {
      const wanted = await outcomeOf(alone.fork(), sql);
      let accepted = true;
      const seen = await outcomeOf(orm.em.fork() as SqlEntityManager, sql).catch(() => {
        accepted = false;
        return outcomeOf(both.fork(), sql);
      });
      tried.push({ sql, accepted, valid: wanted !== 'error' || seen !== 'error', interferes: seen !== wanted });
    }

    beforeAll(
      async () => {
        const guarded = {
          entities: model,
          driver: guardedDriver(engines[engine.name]),
          entityManager: GuardedEntityManager,
        };
        orm = await MikroORM.init<AbstractSqlDriver>(ormOptions(both.url, guarded));
        await fill(both, 'own', 'foreign');
        await fill(alone, 'own');
        const maker = new StatementMaker(randomOf(SEED));
        await as({ id: 'own', slug: 'own' }, async () => {
          for (let i = 0; i < statements; i++) await tryStatement(maker.statement());
        });
      },
      60_000 + statements * 60,
    );

    afterAll(() => orm.close(true));

    it('lets no statement through that the other tenant makes a difference to', () => {
      expect(tried.filter((it) => it.accepted && it.interferes).map(({ sql }) => sql)).toEqual([]);
    });

    it('has tried enough of both kinds to know', () => {
      const accepted = tried.filter((it) => it.accepted && it.valid).length;
      const leaks = tried.filter((it) => it.interferes).length;
      console.info(
        `${engine.name}: of ${statements} statements ${accepted} go through and ${leaks} would leak; none is both`,
      );
      expect(accepted).toBeGreaterThan(statements / 20);
      expect(leaks).toBeGreaterThan(statements / 20);
    });

    it('would notice a check that looks for the condition anywhere in the text', () => {
      expect(
        tried.filter(({ sql, interferes }) => sql.includes("tenant_id = 'own'") && interferes).length,
      ).toBeGreaterThan(20);
    });
  });
});
