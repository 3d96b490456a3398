import type { CliCommand } from '../cli-command.js';
import { keyFileOf, toKeyRow } from './audit-key-ring.js';

/** Public keys, as `audit verify --keys` takes them. */
export const auditKeysCommand: CliCommand = {
  noun: 'audit',
  verb: 'keys',
  summary: 'list the public keys that sign trails; the last one signs',
  async run(call) {
    call.terminal.table(keyFileOf(call).ring().publicKeys().map(toKeyRow));
  },
};
