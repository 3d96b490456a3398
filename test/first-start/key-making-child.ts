import { join } from 'node:path';
import { AuditKeyFile } from '../../apps/api/src/audit/audit-key-file.js';
import { readConfig } from '../../apps/api/src/config/app.config.js';
import { getJwtSecret } from '../../apps/api/src/config/data-dir.js';

const { folder, rounds } = JSON.parse(process.env.KEYS ?? '{}') as { folder: string; rounds: number };

/** What each round's first start gives this process, or why it gives nothing. */
function makeKeys(round: number): readonly string[] {
  try {
    const dataDir = join(folder, String(round));
    const keys = new AuditKeyFile(join(dataDir, 'audit-keys.json')).ring();
    return [keys.activeId, getJwtSecret(readConfig({ NODE_ENV: 'test', DATA_DIR: dataDir }))];
  } catch (error) {
    return [String(error)];
  }
}

process.send?.('ready');
process.once('message', (begin: number) => {
  const made = Array.from({ length: rounds }, (_, round) => {
    // Awake at the moment at which the other one is awake as well.
    while (Date.now() < begin + round * 4);
    return makeKeys(round);
  });
  process.send?.(made, () => process.exit());
});
