import type { TransactionDialect } from './transaction-dialect.js';

/** After these SQLite may have rolled the transaction back on its own. https://www.sqlite.org/lang_transaction.html */
const MAY_ROLL_BACK = /^SQLITE_(FULL|IOERR|NOMEM|BUSY|INTERRUPT)/;

/**
 * SQLite knows no locks on rows. A transaction that may write has the database to itself from its first moment (`begin
 * immediate`), so that to wait for a lock means to wait for the transaction to begin. What must not wait cannot be had.
 */
export const sqliteTransactionDialect: TransactionDialect = {
  isConcurrent: false,
  locks: 'database',
  canLock: (_kind, wait) => wait === 'wait',
  failureOf({ code = '' }) {
    if (/^SQLITE_(BUSY|LOCKED)/.test(code)) return 'conflict';
    return code === 'SQLITE_READONLY' ? 'read_only' : undefined;
  },
  // The second is said of the file beside the database that its connections share.
  isStorageFull: ({ code = '' }) => code === 'SQLITE_FULL' || code === 'SQLITE_IOERR_SHMSIZE',
  isLostBy: ({ code = '' }) => MAY_ROLL_BACK.test(code),
  isSavedBySavepoint: false,
  escapesBackslash: false,
};
