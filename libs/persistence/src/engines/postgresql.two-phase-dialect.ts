import { type BranchName, quoted, type TwoPhaseDialect } from './two-phase-dialect.js';

/** One name for the server: 200 bytes at most, which two of 64 and a slash are not. */
function gid({ transaction, branch }: BranchName): string {
  return `${quoted(transaction).slice(0, -1)}/${quoted(branch).slice(1)}`;
}

/** `prepare transaction` and its kin. Only the role that has prepared a branch, or a superuser, may finish it. */
export const postgresqlTwoPhaseDialect: TwoPhaseDialect = {
  prepare: (name) => [`prepare transaction ${gid(name)}`],
  commit: (name) => `commit prepared ${gid(name)}`,
  rollback: (name) => `rollback prepared ${gid(name)}`,
  isUnknown: ({ code }) => code === '42704',
  list: 'select gid, prepared from pg_catalog.pg_prepared_xacts where database = pg_catalog.current_database()',
  read({ gid: name, prepared }) {
    const [transaction, branch, ...rest] = String(name).split('/');
    if (!transaction || !branch || rest.length > 0) return undefined;
    return { transaction, branch, preparedAt: new Date(String(prepared)) };
  },
  capacity: "select pg_catalog.current_setting('max_prepared_transactions') as capacity",
  lock: (name) => `select pg_catalog.pg_try_advisory_lock(pg_catalog.hashtext(${quoted(name)}))::int as taken`,
  unlock: (name) => `select pg_catalog.pg_advisory_unlock(pg_catalog.hashtext(${quoted(name)}))`,
};
