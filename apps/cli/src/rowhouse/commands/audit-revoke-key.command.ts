import type { CliCommand } from '../cli-command.js';
import { replaceRing } from './audit-key-ring.js';

/** The present ends of all trails are signed anew by the next sweep. */
export const auditRevokeKeyCommand: CliCommand = {
  noun: 'audit',
  verb: 'revoke-key',
  summary: 'let nothing count that a key has signed: it is in the wrong hands',
  changes: true,
  configure: (command) => command.argument('<id>', 'as "audit keys" lists it'),
  run: (call) =>
    replaceRing(call, `Checkpoints and purge records of key ${call.args[0]} count no more.`, (ring) =>
      ring.revoke(call.args[0] ?? ''),
    ),
};
