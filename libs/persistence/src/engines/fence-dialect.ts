/** The rows of one tenant in one table, which are to stay as they are. */
export interface Fence {
  /** Tells it from other fences of its schema: lower-case letters, digits and underscores, 50 at most. */
  readonly name: string;
  /** Quoted, with its schema in front where SQL needs one. */
  readonly table: string;
  /** Quoted: the column that names the tenant. */
  readonly column: string;
  readonly tenantId: string;
}

/**
 * How a product refuses every write to some rows, whoever sends it: by triggers that are there for as long as the fence
 * stands, so that nobody pays for it otherwise. To make a trigger waits for every transaction that has written to the table,
 * and keeps those out that would: once it is there, nothing is under way any more that could still commit.
 */
export interface FenceDialect {
  /** For one table, on one connection and in one transaction where DDL can be part of one. There already is fine. */
  raise(fence: Fence): readonly string[];
  /** Like `raise`; not there is fine. */
  lower(fence: Fence): readonly string[];
  /** Gives a row when it stands. The table need not be there. */
  find(fence: Fence): string;
  /** Sent before `raise` and `lower`, so that they give up soon: who waits for a lock keeps others waiting behind it. */
  readonly patience: readonly string[];
  /** Sent after them, whatever became of them. */
  readonly impatience: readonly string[];
  /**
   * Gives a row where a prepared transaction whose session has ended keeps its rows alone, and not the tables: no trigger
   * waits for it, and it may be committed behind one. Absent where that never is so.
   */
  readonly leavesPrepared?: string;
  /** Whether they gave up, and may be tried again. */
  gaveUp(error: unknown): boolean;
  /**
   * Whether a statement failed because of a fence. Takes what the driver threw; told by its code, as messages quote names and
   * values of whoever wrote the statement.
   */
  isRefusal(error: unknown): boolean;
  /** What lets the transaction in which it is sent write past fences of a tenant, at its beginning and at its end. */
  pass(
    tenantId: string,
    fences: readonly Fence[],
  ): { readonly before: readonly string[]; readonly after: readonly string[] };
}

/** What every product says of a write that a fence has refused. */
const FENCE_MESSAGE = 'rowhouse_fence';
/** Of its own, in a class that standards leave to applications. */
const FENCE_SQLSTATE = 'RHF01';

/** Checked where it becomes part of DDL. */
export function quoteTenantId(tenantId: string): string {
  if (!/^[0-9a-f-]{1,36}$/i.test(tenantId)) throw new TypeError(`"${tenantId}" is no id of a tenant.`);
  return `'${tenantId}'`;
}

/** `"schema".` in front of a quoted table, or nothing. */
export function schemaOfTable(table: string): string {
  return table.slice(0, table.lastIndexOf('.') + 1);
}

const codeOf = (error: unknown) => {
  const { code, errno } = (error ?? {}) as { code?: unknown; errno?: unknown };
  return String(code ?? errno);
};

/** PostgreSQL. `create trigger` takes a lock that writers of the table hold against it, and readers do not. */
export const postgresqlFenceDialect: FenceDialect = {
  raise({ name, table, column, tenantId }) {
    const call = `${schemaOfTable(table)}rowhouse_fence()`;
    const id = quoteTenantId(tenantId);
    const isOther = `current_setting('rowhouse.fence', true) is distinct from ${id}`;
    const trigger = (suffix: string, events: string, row: string) =>
      `create or replace trigger ${name}_${suffix} before ${events} on ${table} for each row when (${row}.${column} = ${id} and ${isOther}) execute function ${call}`;
    return [
      `create or replace function ${call} returns trigger language plpgsql as $fence$ begin raise exception '${FENCE_MESSAGE}' using errcode = '${FENCE_SQLSTATE}'; end $fence$`,
      trigger('new', 'insert or update', 'new'),
      trigger('old', 'update or delete', 'old'),
    ];
  },
  lower: ({ name, table }) => [
    `drop trigger if exists ${name}_new on ${table}`,
    `drop trigger if exists ${name}_old on ${table}`,
  ],
  find: ({ name, table }) =>
    `select 1 as found from pg_trigger where tgrelid = to_regclass('${table}') and tgname = '${name}_new'`,
  patience: [`set local lock_timeout = '1s'`],
  impatience: [],
  gaveUp: (error) => ['55P03', '40P01'].includes(codeOf(error)),
  isRefusal: (error) => codeOf(error) === FENCE_SQLSTATE,
  // Ends with the transaction.
  pass: (tenantId) => ({
    before: [`select set_config('rowhouse.fence', ${quoteTenantId(tenantId)}, true)`],
    after: [],
  }),
};

/** Events, and the states of the row that tell whose it is. */
const EVENTS = { insert: ['new'], update: ['old', 'new'], delete: ['old'] } as const;

/** MySQL and MariaDB. DDL waits for all transactions that have used the table, and is no part of one. */
export const mysqlFenceDialect: FenceDialect = {
  raise({ name, table, column, tenantId }) {
    const id = quoteTenantId(tenantId);
    return Object.entries(EVENTS).map(([event, rows]) => {
      const isTheirs = rows.map((row) => `${row}.${column} = ${id}`).join(' or ');
      const body = `if (${isTheirs}) and not (@rowhouse_fence <=> ${id}) then signal sqlstate '${FENCE_SQLSTATE}' set message_text = '${FENCE_MESSAGE}'; end if`;
      return `create trigger if not exists ${schemaOfTable(table)}\`${name}_${event}\` before ${event} on ${table} for each row begin ${body}; end`;
    });
  },
  lower: ({ name, table }) =>
    Object.keys(EVENTS).map((event) => `drop trigger if exists ${schemaOfTable(table)}\`${name}_${event}\``),
  find({ name, table }) {
    const [schema] = schemaOfTable(table).replaceAll('`', '').split('.');
    const inSchema = schema ? `'${schema}'` : 'database()';
    return `select 1 as found from information_schema.triggers where trigger_schema = ${inSchema} and trigger_name = '${name}_insert'`;
  },
  patience: ['set session lock_wait_timeout = 1'],
  impatience: ['set session lock_wait_timeout = default'],
  // MySQL keeps the locks on tables. Asked of the server: MariaDB answers to the driver of MySQL as well.
  leavesPrepared: `select 1 as found from dual where version() like '%MariaDB%'`,
  gaveUp: (error) => ['ER_LOCK_WAIT_TIMEOUT', '1205', 'ER_LOCK_DEADLOCK', '1213'].includes(codeOf(error)),
  isRefusal: (error) => (error as { sqlState?: unknown } | undefined)?.sqlState === FENCE_SQLSTATE,
  pass: (tenantId) => ({
    before: [`set @rowhouse_fence = ${quoteTenantId(tenantId)}`],
    // Connections outlive transactions.
    after: ['set @rowhouse_fence = null'],
  }),
};

/** SQLite: one writer at a time, so whoever makes a trigger writes alone. */
export const sqliteFenceDialect: FenceDialect = {
  raise: ({ name, table, column, tenantId }) =>
    Object.entries(EVENTS).map(([event, rows]) => {
      const isTheirs = rows.map((row) => `${row}.${column} = ${quoteTenantId(tenantId)}`).join(' or ');
      return `create trigger if not exists ${name}_${event} before ${event} on ${table} when ${isTheirs} begin select raise(abort, '${FENCE_MESSAGE}'); end`;
    }),
  lower: ({ name }) => Object.keys(EVENTS).map((event) => `drop trigger if exists ${name}_${event}`),
  find: ({ name }) => `select 1 as found from sqlite_master where type = 'trigger' and name = '${name}_insert'`,
  patience: [],
  impatience: [],
  gaveUp: (error) => codeOf(error).startsWith('SQLITE_BUSY'),
  // The code is that of every trigger, whose messages are the whole text.
  isRefusal: (error) =>
    codeOf(error) === 'SQLITE_CONSTRAINT_TRIGGER' && (error as { message?: unknown }).message === FENCE_MESSAGE,
  // Triggers cannot know who writes. They are away while this transaction writes, and nobody else can.
  pass: (_tenantId, fences) => ({
    before: fences.flatMap((fence) => sqliteFenceDialect.lower(fence)),
    after: fences.flatMap((fence) => sqliteFenceDialect.raise(fence)),
  }),
};
