/** Sends one statement on a connection that is kept, and gives its rows. */
export type SendOnOneConnection = (sql: string) => Promise<readonly Record<string, unknown>[]>;

/** How processes keep out of each other's way: a lock with a name, which the database gives back when its holder dies. */
export interface LockDialect {
  /** URL of the database that keeps the lock; holding it keeps nobody from the one behind `url`. */
  urlOf(url: string, name: string): string;
  /** Takes the lock if nobody else has it, without waiting. */
  tryTake(name: string, send: SendOnOneConnection): Promise<boolean>;
  giveBack(name: string, send: SendOnOneConnection): Promise<void>;
}

/** Names are the kit's own. */
export function quoteLockName(name: string): string {
  if (!/^[a-z0-9 -]{1,60}$/.test(name)) throw new TypeError(`"${name}" is no name of a lock.`);
  return `'${name}'`;
}

/** Whether the one value of the one row means yes. */
export function saysYes(rows: readonly Record<string, unknown>[]): boolean {
  const [value] = Object.values(rows[0] ?? {});
  return value === true || Number(value) === 1;
}

/** PostgreSQL's advisory locks belong to the session, in one database. */
export const postgresqlLockDialect: LockDialect = {
  urlOf: (url) => url,
  tryTake: async (name, send) =>
    saysYes(await send(`select pg_try_advisory_lock(hashtextextended(${quoteLockName(name)}, 0))`)),
  async giveBack(name, send) {
    await send(`select pg_advisory_unlock(hashtextextended(${quoteLockName(name)}, 0))`);
  },
};

/** MySQL's and MariaDB's belong to the session, in the whole server: the database becomes part of the name. */
export const mysqlLockDialect: LockDialect = {
  urlOf: (url) => url,
  tryTake: async (name, send) =>
    saysYes(await send(`select get_lock(sha1(concat(database(), ${quoteLockName(name)})), 0)`)),
  async giveBack(name, send) {
    await send(`select release_lock(sha1(concat(database(), ${quoteLockName(name)})))`);
  },
};

/** SQLite has no such locks, so the name is a file whose write lock is taken. */
export const sqliteLockDialect: LockDialect = {
  urlOf: (url, name) => `${url}.${name.replaceAll(' ', '-')}.lock`,
  async tryTake(_name, send) {
    // Its own way to wait stops the whole process.
    await send('pragma busy_timeout = 0');
    try {
      await send('begin immediate');
      return true;
    } catch (error) {
      if (String((error as { code?: unknown }).code).startsWith('SQLITE_BUSY')) return false;
      throw error;
    }
  },
  async giveBack(_name, send) {
    await send('rollback');
  },
};
