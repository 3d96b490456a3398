import type { CliCommand } from '../cli-command.js';
import { replaceRing } from './audit-key-ring.js';

/** Every now and then, and when somebody leaves who could read the file. */
export const auditRotateKeyCommand: CliCommand = {
  noun: 'audit',
  verb: 'rotate-key',
  summary: 'sign trails with a new key; what the present one signed stays valid',
  changes: true,
  run: (call) => replaceRing(call, 'A new key signs from now on.', (ring) => ring.rotate()),
};
