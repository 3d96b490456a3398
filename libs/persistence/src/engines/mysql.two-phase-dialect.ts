import { type BranchName, quoted, type TwoPhaseDialect } from './two-phase-dialect.js';

const NO_SUCH_BRANCH = 1397;

const xid = ({ transaction, branch }: BranchName) => `${quoted(transaction)}, ${quoted(branch)}`;

/**
 * XA of MySQL and MariaDB. MySQL 8 asks for the privilege `XA_RECOVER_ADMIN` to list branches; MariaDB keeps a prepared
 * branch with its session, and nobody else may finish it before that has ended.
 */
export const mysqlTwoPhaseDialect: TwoPhaseDialect = {
  session: {
    begin: (name) => `xa start ${xid(name)}`,
    commit: (name) => [`xa end ${xid(name)}`, `xa commit ${xid(name)} one phase`],
    rollback: (name) => [`xa end ${xid(name)}`, `xa rollback ${xid(name)}`],
    leave: 'kill connection_id()',
  },
  prepare: (name) => [`xa end ${xid(name)}`, `xa prepare ${xid(name)}`],
  commit: (name) => `xa commit ${xid(name)}`,
  rollback: (name) => `xa rollback ${xid(name)}`,
  isUnknown: ({ errno }) => errno === NO_SUCH_BRANCH,
  list: 'xa recover',
  read({ data, gtrid_length: length, bqual_length: rest }) {
    const text = String(data);
    if (text.length !== Number(length) + Number(rest)) return undefined;
    return { transaction: text.slice(0, Number(length)), branch: text.slice(Number(length)) };
  },
  lock: (name) => `select get_lock(${quoted(name)}, 0) as taken`,
  unlock: (name) => `select release_lock(${quoted(name)})`,
};
