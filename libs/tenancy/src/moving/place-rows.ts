import { createHash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type Engine, type Fence, type StoredPage, StoredTable } from '#libs/persistence';
import type { Placement } from '../placement.js';
import { asKit } from '../strategies/as-kit.js';
import { deleteRows } from '../strategies/delete-rows.js';
import type { IsolationStrategy } from '../strategies/isolation-strategy.js';
import { type OwnedTable, ownedTables } from '../strategies/owned-tables.js';

/**
 * What a place holds of a tenant, by table: how many rows, as the database counts them, and a text of those that were read
 * that any change of any of them changes. Two that are equal were read whole: a row that was passed by was counted.
 */
export type PlaceContent = ReadonlyMap<string, { readonly rows: number; readonly digest: string }>;

/** Rows in memory, and in one transaction. */
const PAGE_ROWS = 1_000;
const PAUSE_MS = 50;

/** A table with the statements about its rows, at one place. */
interface PlacedTable extends OwnedTable {
  readonly stored: StoredTable;
  /** Of the move itself, then of earlier ones. */
  readonly fences: readonly Fence[];
  /** Quoted. */
  readonly loopColumns: ReadonlySet<string>;
}

/** Throws when what was done must not stay. */
type Check = () => Promise<void>;

const always: Check = async () => undefined;

/** Take what is read. */
interface Readers {
  onPage?(table: PlacedTable, page: StoredPage): Promise<void>;
  onTable?(table: PlacedTable): Promise<void>;
}

/** The rows of one tenant at one place, as the kit moves them. One move at a time works on a place. */
export class PlaceRows {
  constructor(
    private readonly strategy: IsolationStrategy,
    private readonly engine: Engine,
    readonly placement: Placement,
    /** Ids of moves whose fences are meant: first that of the move itself, then of earlier ones that left this place. */
    private readonly moves: readonly string[] = [],
  ) {}

  /**
   * From its end on nobody can write rows of the tenant here, and nothing that was being written can still be committed:
   * each table's part of the fence waits for the transactions that have written there. Others who use the tables wait a
   * second at a time at most. There already is fine.
   *
   * @param patienceMs  how long a table may be in use by a transaction that does not end
   * @param isAllowed  throws when it is not; asked before each part of it is committed, or after it where DDL is no part of
   *   a transaction
   */
  raiseFence(patienceMs: number, isAllowed: Check): Promise<void> {
    const own = ({ fences }: PlacedTable) => fences.slice(0, 1);
    return this.#work('raise a fence', async (em) => {
      for (const table of this.#tables(em)) await this.#changeFences(em, 'raise', own(table), patienceMs, isAllowed);
    });
  }

  /**
   * Waits for transactions over several databases that were prepared before the fence stood, and that it cannot stop: what
   * they have written may still be committed. On most products the fence has waited for them.
   * @returns one that is still prepared when patience ends
   */
  findPrepared(patienceMs: number): Promise<string | undefined> {
    const { leavesPrepared } = this.engine.fences;
    if (leavesPrepared === undefined) return Promise.resolve(undefined);
    return this.#work('wait for prepared transactions', async (em) => {
      if ((await em.getConnection().execute<unknown[]>(leavesPrepared)).length === 0) return undefined;
      const deadline = Date.now() + patienceMs;
      // Whatever is prepared later has been stopped by the fence.
      let left = await this.#prepared(em);
      while (left.size > 0 && Date.now() < deadline) {
        await sleep(PAUSE_MS);
        const now = await this.#prepared(em);
        left = new Set([...left].filter((name) => now.has(name)));
      }
      return left.values().next().value;
    });
  }

  /** Of the whole server: where a branch has written is not in its name. */
  async #prepared(em: SqlEntityManager): Promise<Set<string>> {
    const { twoPhase } = this.engine;
    if (!twoPhase) return new Set();
    const rows = await em.getConnection().execute<Record<string, unknown>[]>(twoPhase.list);
    return new Set(rows.map((row) => twoPhase.read(row)?.transaction ?? JSON.stringify(row)));
  }

  /**
   * A table, or a column of one, that holds values and is mapped by no entity: such do not move. For places that only one
   * tenant has.
   */
  findUnmapped(): Promise<string | undefined> {
    return this.#work('look for what no entity maps', async (em) => {
      const quote = (name: string) => em.getPlatform().quoteIdentifier(name);
      const mapped = mappedColumns(em);
      const list = this.engine.places.listColumns(this.placement.schemaName ?? undefined);
      const stored = await em.getConnection().execute<{ tableName: string; columnName: string }[]>(list);
      for (const { tableName, columnName } of stored) {
        if (mapped.get(tableName)?.has(columnName) || tableName === em.config.get('migrations').tableName) continue;
        const table = (em.schema === undefined ? '' : `${quote(em.schema)}.`) + quote(tableName);
        const sql = `select 1 as found from ${table} where ${quote(columnName)} is not null limit 1`;
        if ((await em.getConnection().execute<unknown[]>(sql)).length > 0) {
          return mapped.has(tableName) ? `${tableName}.${columnName}` : tableName;
        }
      }
      return undefined;
    });
  }

  /** Takes the fences away. Not there is fine. */
  lowerFence(patienceMs: number): Promise<void> {
    return this.#work('lower a fence', async (em) => {
      for (const { fences } of this.#tables(em)) await this.#changeFences(em, 'lower', fences, patienceMs);
    });
  }

  /**
   * Marks the storage while `work` runs, so that it is known again under another name. A mark is a fence around nobody's rows:
   * whoever can move rows can make it, and one that is left behind keeps nobody out.
   */
  async withMark<T>(patienceMs: number, work: (mark: string) => Promise<T>): Promise<T> {
    const mark = randomUUID();
    const change = (to: 'raise' | 'lower') =>
      this.#work('mark a place', (em) => this.#changeFences(em, to, [this.#markOf(em, mark)], patienceMs));
    try {
      await change('raise');
      return await work(mark);
    } finally {
      await change('lower');
    }
  }

  /** Whether a mark that was made somewhere is here. */
  hasMark(mark: string): Promise<boolean> {
    return this.#work('look for a mark', async (em) => {
      const found = await em.getConnection().execute<unknown[]>(this.engine.fences.find(this.#markOf(em, mark)));
      return found.length > 0;
    });
  }

  #markOf(em: SqlEntityManager, mark: string): Fence {
    const [table] = new PlaceRows(this.strategy, this.engine, this.placement, [mark]).#tables(em) as [PlacedTable];
    return { ...(table.fences[0] as Fence), tenantId: mark };
  }

  /**
   * Deletes what the tenant has here, behind the fences. Tables stay.
   * @param isAllowed  throws when it is not; asked before that is committed
   */
  empty(isAllowed: Check): Promise<void> {
    return this.#work('empty a place', (em) =>
      deleteRows(em, this.#tenantId, { ...this.#pass(this.#tables(em)), isAllowed }),
    );
  }

  /**
   * Copies every row to `target`, which is fenced and empty, table by table in the order of their references and a page at
   * a time. Both places are fenced: what is read is what was there when it began.
   * @param isAllowed  throws when it is not; asked before each page is committed
   * @returns what was read
   */
  async copyTo(target: PlaceRows, isAllowed: Check): Promise<PlaceContent> {
    return this.#work('copy a place', (em) =>
      this.#readAll(em, {
        onPage: ({ name }, page) => target.#insert(name, page, isAllowed),
        // References from row to row of one table: all of them are there now.
        onTable: async ({ name, stored, tenantColumn }) => {
          if (!this.#hasLoops(em, name)) return;
          for await (const page of this.#pages(em, stored, tenantColumn)) await target.#complete(name, page, isAllowed);
        },
      }),
    );
  }

  /** What is here now. */
  read(): Promise<PlaceContent> {
    return this.#work('read a place', (em) => this.#readAll(em));
  }

  async #readAll(em: SqlEntityManager, { onPage, onTable }: Readers = {}): Promise<PlaceContent> {
    const content = new Map<string, { rows: number; digest: string }>();
    for (const table of this.#tables(em).toReversed()) {
      const { name, stored, tenantColumn } = table;
      let read = 0;
      let digest = 0n;
      for await (const page of this.#pages(em, stored, tenantColumn)) {
        await onPage?.(table, page);
        read += page.count;
        digest += stored.digest(page);
      }
      await onTable?.(table);
      const rows = await stored.count(em.getPlatform().quoteIdentifier(tenantColumn), this.#tenantId);
      content.set(name, { rows, digest: `${read} ${digest.toString(16)}` });
    }
    return content;
  }

  get #tenantId(): string {
    return this.placement.tenantId;
  }

  /** A unit of work at the place, for its tenant and as the kit. */
  async #work<T>(reason: string, work: (em: SqlEntityManager) => Promise<T>): Promise<T> {
    const { entityManager, revert } = this.strategy.apply(this.placement);
    try {
      return await asKit(this.placement, reason, () => work(entityManager));
    } finally {
      revert();
    }
  }

  /** Of one table, in a transaction of its own: so nobody is waited for by one who holds what they want. */
  async #changeFences(
    em: SqlEntityManager,
    change: 'raise' | 'lower',
    of: readonly Fence[],
    patienceMs: number,
    isAllowed: Check = always,
  ): Promise<void> {
    const { fences } = this.engine;
    const statements = of.flatMap((fence) => fences[change](fence));
    for (const deadline = Date.now() + patienceMs; ; ) {
      try {
        return await this.#sendAlone(em, statements, isAllowed);
      } catch (error) {
        if (!fences.gaveUp(error) || Date.now() > deadline) throw error;
        await sleep(PAUSE_MS);
      }
    }
  }

  async #sendAlone(em: SqlEntityManager, statements: readonly string[], isAllowed: Check): Promise<void> {
    const { patience, impatience } = this.engine.fences;
    await em.getConnection().transactional(async (transaction) => {
      const send = (sql: string) => em.getDriver().execute(sql, [], 'run', transaction);
      try {
        for (const sql of [...patience, ...statements]) await send(sql);
        await isAllowed();
      } finally {
        for (const sql of impatience) await send(sql);
      }
    });
  }

  async *#pages(em: SqlEntityManager, table: StoredTable, tenantColumn: string): AsyncGenerator<StoredPage> {
    const column = em.getPlatform().quoteIdentifier(tenantColumn);
    let page: StoredPage | undefined;
    do {
      page = await table.read(column, this.#tenantId, PAGE_ROWS, page);
      if (page.count > 0) yield page;
    } while (page.count === PAGE_ROWS);
  }

  #insert(name: string, page: StoredPage, isAllowed: Check): Promise<void> {
    return this.#write(name, isAllowed, ({ stored, loopColumns }, em) => stored.insert(em, page, loopColumns));
  }

  #complete(name: string, page: StoredPage, isAllowed: Check): Promise<void> {
    return this.#write(name, isAllowed, ({ stored, loopColumns }, em) => stored.complete(em, page, loopColumns));
  }

  /** One page is one transaction, which passes the fences. */
  #write(
    name: string,
    isAllowed: Check,
    work: (table: PlacedTable, em: SqlEntityManager) => Promise<void>,
  ): Promise<void> {
    return this.#work('fill a place', (outer) =>
      outer.transactional(async (em) => {
        const table = this.#tables(em).find((it) => it.name === name) as PlacedTable;
        const { before, after } = this.#pass([table]);
        const send = (sql: string) => em.getDriver().execute(sql, [], 'run', em.getTransactionContext());
        try {
          for (const sql of before) await send(sql);
          await work(table, em);
          await isAllowed();
        } finally {
          for (const sql of after) await send(sql);
        }
      }),
    );
  }

  #pass(tables: readonly PlacedTable[]) {
    const fences = tables.flatMap((table) => table.fences);
    return this.engine.fences.pass(this.#tenantId, fences);
  }

  #hasLoops(em: SqlEntityManager, name: string): boolean {
    return ownedTables(em.getMetadata()).some((table) => table.name === name && table.loops.size > 0);
  }

  #tables(em: SqlEntityManager): PlacedTable[] {
    const quote = (name: string) => em.getPlatform().quoteIdentifier(name);
    return ownedTables(em.getMetadata()).map((table) => {
      const stored = new StoredTable(em, table.meta);
      const fences = this.moves.map((move) => ({
        name: fenceName(move, table.name),
        table: stored.name,
        column: quote(table.tenantColumn),
        tenantId: this.#tenantId,
      }));
      return { ...table, stored, fences, loopColumns: new Set([...table.loops].map(quote)) };
    });
  }
}

/** On some engines names of triggers are unique in a schema, and 64 characters long. */
function fenceName(move: string, table: string): string {
  const hash = createHash('sha256').update(table).digest('hex').slice(0, 8);
  return `fence_${move.replaceAll('-', '').toLowerCase()}_${hash}`;
}

function mappedColumns(em: SqlEntityManager): ReadonlyMap<string, ReadonlySet<string>> {
  const tables = new Map<string, Set<string>>();
  for (const meta of em.getMetadata().getAll().values()) {
    const columns = tables.get(meta.tableName) ?? new Set();
    tables.set(meta.tableName, columns);
    for (const { fieldNames = [] } of meta.props) for (const name of fieldNames) columns.add(name);
  }
  return tables;
}

/** The first table whose content differs, or `undefined`. */
export function findDifference(a: PlaceContent, b: PlaceContent): string | undefined {
  for (const name of new Set([...a.keys(), ...b.keys()])) {
    const [left, right] = [a.get(name), b.get(name)];
    if (left?.rows !== right?.rows || left?.digest !== right?.digest) {
      return `${name}: ${left?.rows ?? 0} rows here, ${right?.rows ?? 0} there${left?.rows === right?.rows ? ', of other content' : ''}`;
    }
  }
  return undefined;
}
