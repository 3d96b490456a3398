import { beforeAll, describe, expect, it } from '@jest/globals';
import type { MetadataStorage } from '@mikro-orm/core';
import Database from 'better-sqlite3';
import { findUnbound, type Slot } from './analysis.js';
import { Catalogue } from './catalogue.js';
import { AllowedFunctions } from './functions.js';
import { analyse } from './reader.js';

/**
 * What isolation means: an accepted statement answers on a database of two tenants exactly as on one that never held the
 * other. Checked on random statements that look for trouble: every way to combine conditions, joins and sub-queries, with
 * the binding sometimes there, sometimes in the wrong place, sometimes missing.
 *
 * SEED=<n> repeats a run.
 */
const SEED = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
const STATEMENTS = 20_000;

type Random = () => number;

/** Mulberry32: small, and the same numbers everywhere. */
function randomOf(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const TABLES = ['tag', 'product', 'link'];

/** Makes statements. Its tables have the columns tenant_id, id, name and n. */
class StatementMaker {
  #aliases = 0;

  constructor(private readonly random: Random) {}

  #pick<T>(...options: readonly T[]): T {
    return options[Math.floor(this.random() * options.length)] as T;
  }

  #chance(probability: number): boolean {
    return this.random() < probability;
  }

  #alias(): string {
    return `t${this.#aliases++}`;
  }

  statement(): string {
    this.#aliases = 0;
    if (this.#chance(0.75)) return this.#select([], 2, this.#pick(1, 2, 3));
    const target = this.#pick(...TABLES);
    const where = this.#condition([target], [], 2);
    if (this.#chance(0.3)) return `delete from ${target} where ${where}`;
    const set = this.#pick(
      'n = n + 1',
      "name = 'z'",
      `n = (${this.#scalar([target], 1)})`,
      "tenant_id = 'own', n = 0",
      "tenant_id = 'foreign'",
    );
    return `update or ignore ${target} set ${set} where ${where}`;
  }

  /** @param outer aliases of the queries around */
  #select(outer: readonly string[], depth: number, width: number): string {
    const own: string[] = [];
    const from = this.#from(own, outer, depth);
    const any = () => `${this.#pick(...own, ...outer)}.${this.#pick('id', 'name', 'n')}`;
    const aggregate = depth === 2 && this.#chance(0.25);
    const list = Array.from({ length: width }, () =>
      aggregate ? `${this.#pick('count', 'max', 'min')}(${any()})` : any(),
    );
    const where = ` where ${this.#condition(own, outer, depth)}`;
    const limit = !aggregate && this.#chance(0.15) ? ` order by ${list.map((_, i) => i + 1).join(', ')} limit 3` : '';
    const union =
      !limit && depth > 0 && this.#chance(0.08)
        ? ` ${this.#pick('union', 'union all', 'except')} ${this.#select(outer, 0, width)}`
        : '';
    return `select ${list.join(', ')} from ${from}${where}${limit}${union}`;
  }

  #scalar(outer: readonly string[], depth: number): string {
    const own: string[] = [];
    const from = this.#from(own, outer, depth);
    return `select ${this.#pick('count(*)', 'max(n)')} from ${from} where ${this.#condition(own, outer, depth)}`;
  }

  #from(own: string[], outer: readonly string[], depth: number): string {
    let text = this.#table(own, depth);
    while (this.#chance(0.4) && own.length < 3) {
      const before = [...own];
      const kind = this.#pick('join', 'inner join', 'left join', ',');
      text += kind === ',' ? `, ${this.#table(own, depth)}` : ` ${kind} ${this.#table(own, depth)} on `;
      if (kind === ',') continue;
      const joined = own[own.length - 1] as string;
      const equal = `${joined}.tenant_id = ${this.#pick(...before)}.tenant_id`;
      text += this.#chance(0.7) ? equal : this.#condition(own, outer, 1);
      if (this.#chance(0.4)) text += ` and ${joined}.id = ${this.#pick(...before)}.id`;
    }
    return text;
  }

  #table(own: string[], depth: number): string {
    const alias = this.#alias();
    own.push(alias);
    if (depth === 0 || this.#chance(0.8)) return `${this.#pick(...TABLES)} as ${alias}`;
    const inner = this.#alias();
    const columns = this.#pick(
      '*',
      `${inner}.*`,
      `${inner}.tenant_id, ${inner}.id, ${inner}.name, ${inner}.n`,
      `'own' as tenant_id, ${inner}.id, ${inner}.name, ${inner}.n`,
      `${inner}.name as tenant_id, ${inner}.id, ${inner}.name, ${inner}.n`,
      `${inner}.name as tenant_id, ${inner}.id, ${inner}.tenant_id, ${inner}.name, ${inner}.n`,
      `${inner}.name as 'tenant_id', ${inner}.*`,
      `${inner}.*, ${inner}.name as tenant_id`,
      `max(${inner}.tenant_id) as tenant_id, max(${inner}.id) as id, ${inner}.name, count(*) as n`,
    );
    const grouped = columns.startsWith('max') ? ` group by ${inner}.name` : '';
    const query = `select ${columns} from ${this.#pick(...TABLES)} as ${inner} where ${this.#condition([inner], [], depth - 1)}${grouped}`;
    const united =
      columns === '*' && this.#chance(0.3)
        ? ` union all select name, id, tenant_id, n from ${this.#pick(...TABLES)} where tenant_id = 'own'`
        : '';
    return `(${query}${united}) as ${alias}`;
  }

  /** Mostly binds, so that enough is accepted; then anything is put around it. */
  #condition(own: readonly string[], outer: readonly string[], depth: number): string {
    const binding = own.map((alias) =>
      this.#bind(
        alias,
        [...own, ...outer].filter((it) => it !== alias),
        depth,
      ),
    );
    const parts = binding.filter(() => this.#chance(0.8));
    if (this.#chance(0.6)) parts.push(this.#predicate(own, outer, depth));
    if (parts.length === 0) parts.push('1 = 1');
    const joined = parts
      .sort(() => this.random() - 0.5)
      .join(` ${this.#pick('and', 'and', 'and', 'and', 'and', 'and', 'or')} `);
    if (this.#chance(0.06)) return `not (${joined})`;
    if (this.#chance(0.06)) return `(${joined}) or ${this.#predicate(own, outer, depth)}`;
    if (this.#chance(0.04)) return `case when ${joined} then ${this.#pick('1', '0')} else ${this.#pick('1', '0')} end`;
    if (this.#chance(0.06)) return `${this.#pick('', 'not ')}1 between 0 and ${joined}`;
    return this.#chance(0.3) ? `(${joined})` : joined;
  }

  #bind(alias: string, others: readonly string[], depth: number): string {
    const own = Array.from({ length: 12 }, () => "'own'");
    const value = this.#pick(...own, "'foreign'", `${alias}.name`, `${alias}.tenant_id`);
    const forms = [
      () => `${alias}.tenant_id = ${value}`,
      () => `${alias}.tenant_id = ${value}`,
      () => `${value} = ${alias}.tenant_id`,
      () => `(${alias}.tenant_id, ${alias}.n) in ((${value}, 1), ('own', 2))`,
      () => `${alias}.tenant_id in (${value})`,
      () => `(${alias}.tenant_id = ${value} and ${alias}.n = 1 or ${alias}.n > 1 and ${alias}.tenant_id = 'own')`,
      () =>
        others.length > 0 ? `${alias}.tenant_id = ${this.#pick(...others)}.tenant_id` : `${alias}.tenant_id = 'own'`,
      () =>
        depth > 0
          ? `${alias}.tenant_id ${this.#pick('in', 'in', 'not in')} (${this.#member([alias, ...others], depth - 1)})`
          : `${alias}.tenant_id = 'own'`,
    ];
    return this.#pick(...forms)();
  }

  #member(outer: readonly string[], depth: number): string {
    const own: string[] = [];
    const from = this.#from(own, outer, depth);
    const tenant = this.#pick(
      `${own[0]}.tenant_id`,
      `${this.#pick(...own)}.tenant_id`,
      `max(${own[0]}.tenant_id)`,
      "'own'",
    );
    const query = `select ${tenant} from ${from} where ${this.#condition(own, outer, depth)}`;
    if (this.#chance(0.15)) return `${query} order by 1 limit 1`;
    return this.#chance(0.15)
      ? `${query} union select name from ${this.#pick(...TABLES)} where tenant_id = 'own'`
      : query;
  }

  #predicate(own: readonly string[], outer: readonly string[], depth: number): string {
    const any = this.#pick(...own, ...outer);
    const forms = [
      () => `${any}.n ${this.#pick('=', '<', '>')} ${this.#pick('1', '2', '3')}`,
      () => `${any}.name like '${this.#pick('a', 'b')}%'`,
      () => `${any}.id is not null`,
      () => `${any}.n between 1 and 2`,
    ];
    if (depth > 0) {
      const all = [...own, ...outer];
      forms.push(
        () => `${this.#pick('', 'not ')}exists (${this.#select(all, depth - 1, 1)})`,
        () => `${any}.n = (${this.#scalar(all, depth - 1)})`,
        () => `(${any}.tenant_id, '1', 'b', 2) in ${this.#pick(...TABLES)}`,
        () => `${any}.tenant_id ${this.#pick('in', 'not in')} (${this.#member(all, depth - 1)})`,
        () => `${any}.tenant_id ${this.#pick('in', 'not in')} (${this.#member(all, depth - 1)})`,
        () => `${any}.id ${this.#pick('in', 'not in')} (${this.#select(all, depth - 1, 1)})`,
        () =>
          `(${any}.tenant_id, ${any}.id) ${this.#pick('in', 'not in')} (select x.tenant_id, x.id from ${this.#pick(...TABLES)} x where x.n > 0)`,
      );
    }
    return this.#pick(...forms)();
  }
}

/** Rows of the given tenants. Ids and names are the same in both, so that a join that forgets the tenant finds a match. */
function aDatabaseOf(...tenants: readonly string[]): Database.Database {
  const database = new Database(':memory:');
  for (const table of TABLES) {
    database.exec(`create table ${table} (tenant_id text, id text, name text, n integer, primary key (tenant_id, id))`);
    const insert = database.prepare(`insert into ${table} values (?, ?, ?, ?)`);
    for (const tenant of tenants) {
      // The other tenant has more rows, and one that is called like a tenant.
      const rows =
        tenant === 'own'
          ? [
              ['1', 'a', 1],
              ['2', 'b', 2],
            ]
          : [
              ['1', 'b', 2],
              ['2', 'own', 3],
              ['3', 'a', 1],
            ];
      for (const row of rows) insert.run(tenant, ...row);
    }
  }
  return database;
}

/** What the statement answers, and on a change, what the own tenant's rows are afterwards. */
function outcomeOf(database: Database.Database, sql: string): string {
  const rows = (query: string) =>
    JSON.stringify(
      database
        .prepare(query)
        .raw()
        .all()
        .map((row) => JSON.stringify(row))
        .sort(),
    );
  if (sql.startsWith('select')) return rows(sql);
  const state = () => TABLES.map((table) => rows(`select * from ${table} where tenant_id = 'own'`)).join();
  const others = () => TABLES.map((table) => rows(`select * from ${table} where tenant_id <> 'own'`)).join();
  const before = others();
  database.exec('begin');
  try {
    const { changes } = database.prepare(sql).run();
    return `${changes} ${state()}${before === others() ? '' : ` and others: ${others()}`}`;
  } finally {
    database.exec('rollback');
  }
}

describe(`non-interference (SEED=${SEED})`, () => {
  const catalogue = new Catalogue('sqlite', { getAll: () => new Map() } as unknown as MetadataStorage);
  catalogue.find = (name) => (TABLES.includes(name) ? { name, tenantColumn: 'tenant_id' } : undefined);
  const holds = (slot: Slot) => 'literal' in slot && slot.literal === 'own';

  function isAccepted(sql: string): boolean {
    const analysis = analyse(sql, { engine: 'sqlite', catalogue, functions: new AllowedFunctions() });
    if (!analysis || analysis.refusal !== undefined || !analysis.required.every(holds)) return false;
    return analysis.blocks.every((block) => findUnbound(block, holds).length === 0);
  }

  /** Looks whether the other tenant's rows make a difference; `undefined` when the statement is none. */
  function interferes(sql: string): boolean | undefined {
    try {
      return outcomeOf(both, sql) !== outcomeOf(alone, sql);
    } catch {
      return undefined;
    }
  }

  let both: Database.Database;
  let alone: Database.Database;
  const tried: { sql: string; accepted: boolean; interferes: boolean | undefined }[] = [];

  beforeAll(() => {
    both = aDatabaseOf('own', 'foreign');
    alone = aDatabaseOf('own');
    const maker = new StatementMaker(randomOf(SEED));
    for (let i = 0; i < STATEMENTS; i++) {
      const sql = maker.statement();
      tried.push({ sql, accepted: isAccepted(sql), interferes: interferes(sql) });
    }
  }, 120_000);

  it('lets no statement through that the other tenant makes a difference to', () => {
    expect(tried.filter(({ accepted, interferes }) => accepted && interferes).map(({ sql }) => sql)).toEqual([]);
  });

  it('has tried enough of both kinds to know', () => {
    const accepted = tried.filter((it) => it.accepted && it.interferes !== undefined).length;
    const leaks = tried.filter((it) => it.interferes).length;
    console.info(`${STATEMENTS} statements: ${accepted} accepted, ${leaks} would have leaked, all of these refused`);
    expect(accepted).toBeGreaterThan(STATEMENTS / 20);
    expect(leaks).toBeGreaterThan(STATEMENTS / 20);
  });

  it('would notice a check that looks for the condition anywhere in the text', () => {
    expect(
      tried.filter(({ sql, interferes }) => sql.includes("tenant_id = 'own'") && interferes).length,
    ).toBeGreaterThan(100);
  });
});
