import { describe, expect, it } from '@jest/globals';
import type { DatabaseFault } from './bulk-dialect.js';
import { engines } from './engines.js';

/** As the drivers word it. `test/conformance/audit/full-disk.e2e-spec.ts` fills disks, as far as servers let it. */
const FULL: Readonly<Record<'sqlite' | 'postgresql' | 'mysql', DatabaseFault[]>> = {
  sqlite: [
    { code: 'SQLITE_FULL', message: 'database or disk is full' },
    { code: 'SQLITE_IOERR_SHMSIZE', message: 'disk I/O error' },
  ],
  postgresql: [{ code: '53100', message: 'could not extend file "base/1/2": No space left on device' }],
  mysql: [
    { errno: 1021, code: 'ER_DISK_FULL', message: 'Disk full (/tmp/#sql); waiting for someone to free some space...' },
    { errno: 1114, code: 'ER_RECORD_FILE_FULL', message: "The table 'audit_entry' is full" },
    { errno: 1030, code: 'ER_GET_ERRNO', message: "Got error 28 'No space left on device' from storage engine InnoDB" },
    {
      errno: 1026,
      code: 'ER_ERROR_ON_WRITE',
      message: 'Error writing file \'./t\' (errno: 28 "No space left on device")',
    },
    { errno: 3, code: 'EE_WRITE', message: 'Error writing file \'/tmp/MY\' (Errcode: 28 "No space left on device")' },
  ],
};

/** Like those above, and something else. */
const OTHER: typeof FULL = {
  sqlite: [{ code: 'SQLITE_IOERR_READ', message: 'disk I/O error' }],
  postgresql: [{ code: '53200', message: 'out of memory' }],
  mysql: [
    { errno: 1030, code: 'ER_GET_ERRNO', message: 'Got error 128 "Out of memory in engine" from storage engine' },
    { errno: 1062, code: 'ER_DUP_ENTRY', message: "Duplicate entry 'No space left on device' for key 'name'" },
  ],
};

describe.each(['sqlite', 'postgresql', 'mysql', 'mariadb'] as const)('the dialect of %s', (name) => {
  const { transactions } = engines[name];
  const words = name === 'mariadb' ? 'mysql' : name;

  it.each(FULL[words])('takes $code for a full disk', (fault) => {
    expect(transactions.isStorageFull(fault)).toBe(true);
  });

  it.each(OTHER[words])('takes $code for what it is', (fault) => {
    expect(transactions.isStorageFull(fault)).toBe(false);
  });
});
