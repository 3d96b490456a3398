import { InvalidFieldNameException, TableNotFoundException } from '@mikro-orm/core';
import type { AbstractSqlConnection, SqlEntityManager } from '@mikro-orm/sql';
import { runInSystemFrame } from '#libs/persistence';
import { AtomicUnsupportedError } from '../errors/atomic-unsupported.error.js';
import { isUnavailable } from '../fan-out/shard-failure.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardRegistry } from '../registry/shard-registry.js';
import type { AtomicTransaction } from './branch-names.js';

/** What became of a transaction, for every one of its branches. */
export type Decision = 'commit' | 'rollback';

/**
 * The DDL of the table that holds decisions, for those who let no application make tables. It is the same on every engine,
 * and is needed on every shard that may be a home shard.
 */
export const DECISION_TABLE_DDL =
  'create table if not exists shard_decision (' +
  'transaction_id varchar(32) not null primary key, decision varchar(8) not null, decided_at bigint not null, ' +
  "places text not null default (''))";

/**
 * The DDL that brings a table of decisions up to date which was made before decisions named their places; also the same on
 * every engine. It is run at first use, like the other one.
 */
export const DECISION_TABLE_UPGRADE_DDL = "alter table shard_decision add column places text not null default ('')";

interface DecisionRow {
  readonly transaction_id: string;
  readonly decision: Decision;
  readonly places: string;
}

/** A decision that may be forgotten once no branch can ask for it. */
export interface OldDecision {
  readonly id: string;
  /**
   * Where branches were prepared that it is for: second parts of their names. A refusal does not know, nor does a decision
   * that was written before places were.
   */
  readonly places: readonly string[];
}

/**
 * Who writes a decision first has decided, for good: the primary key lets one row in. A transaction writes `commit` as part
 * of its home shard's own transaction; whoever finds its branches without a decision writes `rollback`. If the first is
 * still open, the second waits for what becomes of it; if the second was there first, the first cannot commit any more.
 * So nobody has to know whether a process is still alive.
 */
export class DecisionLog {
  /** Shards whose table is there and up to date. */
  readonly #ready = new Set<ShardId>();

  constructor(private readonly shards: ShardRegistry) {}

  /** Whether the table is there: where it is not, nothing was ever decided. */
  async exists(homeShard: ShardId): Promise<boolean> {
    return (await this.#look(homeShard)) !== 'none';
  }

  /**
   * Makes the table, or brings one of an earlier version up to date. Before a transaction: DDL would commit it.
   * @throws {AtomicUnsupportedError} when this role may not change an earlier one
   */
  async prepare(homeShard: ShardId): Promise<void> {
    if (this.#ready.has(homeShard)) return;
    const found = await this.#look(homeShard);
    if (found === 'none') await this.#change(homeShard, DECISION_TABLE_DDL);
    if (found === 'earlier') {
      await this.#change(homeShard, DECISION_TABLE_UPGRADE_DDL).catch((cause) => {
        if (isUnavailable(cause)) throw cause;
        const problem = `The table shard_decision of shard "${homeShard}" is of an earlier version, and could not be changed.`;
        throw new AtomicUnsupportedError(`${problem} Run DECISION_TABLE_UPGRADE_DDL there.`, homeShard, { cause });
      });
    }
    this.#ready.add(homeShard);
  }

  /**
   * Writes the decision to commit as part of the home shard's own transaction: it stands when that is committed.
   * @param places  where branches are prepared that will ask for it
   */
  async write({ id }: AtomicTransaction, home: SqlEntityManager, places: readonly string[]): Promise<void> {
    const parameters = [id, 'commit', Date.now(), places.join(' ')];
    await bounded(() =>
      home.getConnection('write').execute(INSERT, parameters, 'run', home.getTransactionContext() as never),
    );
  }

  /** What was decided; when nothing was, it is now: to roll back. */
  async settle(transaction: AtomicTransaction): Promise<Decision> {
    const { id, homeShard } = transaction;
    const known = await this.find(transaction);
    if (known) return known;
    await this.prepare(homeShard);
    try {
      await this.#run(homeShard, INSERT, [id, 'rollback', Date.now(), '']);
      return 'rollback';
    } catch (error) {
      const found = await this.find(transaction);
      if (!found) throw error;
      return found;
    }
  }

  /** Transactions that were decided before `time`, in milliseconds. */
  async decidedBefore(homeShard: ShardId, decision: Decision, time: number): Promise<OldDecision[]> {
    await this.prepare(homeShard);
    const sql = 'select transaction_id, places from shard_decision where decision = ? and decided_at < ?';
    const rows = await this.#read(homeShard, sql, [decision, time]);
    return rows.map(({ transaction_id: id, places }) => ({ id, places: places.split(' ').filter(Boolean) }));
  }

  /** Forgets decisions that nobody can ask for any more. */
  async forget(homeShard: ShardId, ids: readonly string[]): Promise<void> {
    for (const id of ids) await this.#run(homeShard, 'delete from shard_decision where transaction_id = ?', [id]);
  }

  /** What was decided so far. */
  async find({ id, homeShard }: AtomicTransaction): Promise<Decision | undefined> {
    if (!(await this.exists(homeShard))) return undefined;
    const sql = 'select decision from shard_decision where transaction_id = ?';
    const [row] = await this.#read(homeShard, sql, [id]);
    return row?.decision;
  }

  /**
   * Whether the table is there, and of this version: it is asked for its youngest column. A server's own lists of columns would tell
   * as well, but MariaDB 10.11 has crashed while it read them beside many others.
   */
  async #look(homeShard: ShardId): Promise<'ready' | 'earlier' | 'none'> {
    if (this.#ready.has(homeShard)) return 'ready';
    try {
      await this.#read(homeShard, 'select places from shard_decision where 1 = 0');
    } catch (error) {
      const known = this.shards.get(homeShard).driver.convertException(error as Error);
      if (known instanceof TableNotFoundException) return 'none';
      if (known instanceof InvalidFieldNameException) return 'earlier';
      throw error;
    }
    this.#ready.add(homeShard);
    return 'ready';
  }

  async #change(homeShard: ShardId, ddl: string): Promise<void> {
    await this.#run(homeShard, ddl).catch(async (error) => {
      // Somebody else may have done it at the same moment, for which servers have errors of their own.
      if ((await this.#look(homeShard)) !== 'ready') throw error;
    });
  }

  #read<Row = DecisionRow>(homeShard: ShardId, sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return bounded(() => connectionOf(this.shards, homeShard).execute<Row[]>(sql, parameters, 'all'));
  }

  async #run(homeShard: ShardId, sql: string, parameters: unknown[] = []): Promise<void> {
    await bounded(() => connectionOf(this.shards, homeShard).execute(sql, parameters, 'run'));
  }
}

const INSERT = 'insert into shard_decision (transaction_id, decision, decided_at, places) values (?, ?, ?, ?)';

function connectionOf(shards: ShardRegistry, id: ShardId): AbstractSqlConnection {
  return shards.get(id).driver.getConnection('write');
}

function bounded<T>(fn: () => Promise<T>): Promise<T> {
  return runInSystemFrame('two-phase commit', fn, { isBounded: true });
}
