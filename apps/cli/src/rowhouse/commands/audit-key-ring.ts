import { AuditKeyFile } from '#apps/api';
import type { AuditKeyRing, AuditPublicKey } from '#libs/audit';
import type { CliCall } from '../cli-command.js';

/** Where the keys are kept. */
export function keyFileOf({ config }: CliCall): AuditKeyFile {
  return new AuditKeyFile(config().auditKeysFile);
}

/** A public key as a row: with all columns, as a table has those of its first row. */
export function toKeyRow({ id, createdAt, retiredAt, revokedAt, publicKey }: AuditPublicKey) {
  return { id, createdAt, retiredAt, revokedAt, publicKey };
}

/** Puts another ring in the place of the present one, if that is wanted. */
export async function replaceRing(
  call: CliCall,
  question: string,
  change: (ring: AuditKeyRing) => AuditKeyRing,
): Promise<void> {
  const { dryRun, terminal } = call;
  const file = keyFileOf(call);
  const ring = change(file.ring());
  if (dryRun) terminal.say(`${question} Nothing was done.`);
  else if (await terminal.confirm(question)) {
    file.replace(ring);
    terminal.table(ring.publicKeys().map(toKeyRow));
    terminal.say('Processes that run use it within a second. Give the public keys to whoever verifies exports.');
  }
}
