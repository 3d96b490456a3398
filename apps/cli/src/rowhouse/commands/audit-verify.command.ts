import { createReadStream, readFileSync } from 'node:fs';
import { type AuditPublicKey, linesOf, type SignedCheckpoint, verifyExport } from '#libs/audit';
import type { CliCommand } from '../cli-command.js';
import { UsageError } from '../usage.error.js';
import { TrailFaultError } from './trail-fault.error.js';

/** Verifies an export on any machine: neither a database nor a configuration is asked for. */
export const auditVerifyCommand: CliCommand = {
  noun: 'audit',
  verb: 'verify',
  summary: 'verify an exported trail, without any database',
  configure: (command) =>
    command
      .argument('<export>', 'file of GET /v1/audit/export, NDJSON')
      .option('--keys <file>', 'public keys that you trust: JSON of "audit keys" or of GET /v1/audit/checkpoints')
      .option('--checkpoint <file>', 'a checkpoint that you kept, as JSON'),
  async run({ args: [file = ''], options, terminal }) {
    const keys = readKeys(options.keys);
    const against = readCheckpoint(options.checkpoint);
    const lines = linesOf(createReadStream(file, 'utf8'));
    const { fault, checkpoint, ...verdict } = await verifyExport(lines, { keys, against });
    terminal.object({ ...verdict, size: checkpoint?.size, sealedAt: checkpoint?.sealedAt, ...fault });
    if (!verdict.trusted) {
      terminal.say('The keys are those in the export: give --keys to know who has signed it.');
    }
    if (fault) throw new TrailFaultError(fault);
  },
};

function readJson(file: unknown, what: string): Record<string, unknown> | unknown[] {
  try {
    return JSON.parse(readFileSync(String(file), 'utf8')) as Record<string, unknown>;
  } catch (error) {
    throw new UsageError(`The ${what} in "${file}" cannot be read: ${(error as Error).message}`);
  }
}

function readKeys(file: unknown): AuditPublicKey[] | undefined {
  if (file === undefined) return undefined;
  const read = readJson(file, 'keys');
  const keys = Array.isArray(read) ? read : read.keys;
  if (!Array.isArray(keys)) throw new UsageError(`"${file}" holds no list of keys.`);
  return keys as AuditPublicKey[];
}

/** One checkpoint, or the last of a list of them. */
function readCheckpoint(file: unknown): SignedCheckpoint | undefined {
  if (file === undefined) return undefined;
  const read = readJson(file, 'checkpoint');
  const all = Array.isArray(read) ? read : read.data;
  return (Array.isArray(all) ? all.at(-1) : read) as SignedCheckpoint;
}
