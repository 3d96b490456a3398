import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAppContext, readConfig, TenantMoveService } from '#apps/api';
import { runInContext } from '#libs/context';
import { StoredTable } from '#libs/persistence';
import { PlaceMover, PlacementMoves } from '#libs/tenancy';

/** What the parent says by the environment: whom to move, where to, and when to die. */
const { environment, slug, wanted, step } = JSON.parse(process.env.MOVE ?? '{}');

const dataDir = mkdtempSync(join(tmpdir(), 'rowhouse-mover-'));
const app = await createAppContext(
  readConfig({ NODE_ENV: 'test', LOG_LEVEL: 'silent', SEED_DEMO: 'false', DATA_DIR: dataDir, ...environment }),
);
const [mover, moves] = [app.get(PlaceMover), app.get(PlacementMoves)];

/** No farewell: nothing is rolled back, given back or closed by this process. */
const die = (): never => {
  process.kill(process.pid, 'SIGKILL');
  throw new Error('It is dead.');
};
/** Does the method `times` times, and dies instead of, or right after, its last. */
const dieAt = (of: object, name: string, when: 'before' | 'after', times = 1) => {
  const method = Reflect.get(of, name) as (...all: unknown[]) => Promise<unknown>;
  let count = 0;
  Reflect.set(of, name, async function mortal(this: unknown, ...all: unknown[]) {
    count++;
    if (count === times && when === 'before') die();
    const result = await method.apply(this, all);
    if (count === times) die();
    return result;
  });
};
const steps: Record<string, () => void> = {
  'before the first fence': () => dieAt(mover, 'copy', 'before'),
  'between two parts of a fence': () => dieAt(moves, 'assertClaimed', 'before', 3),
  'in a page of the copy': () => dieAt(StoredTable.prototype, 'insert', 'after', 4),
  'after the copy': () => dieAt(moves, 'switch', 'before'),
  'after the switch': () => dieAt(moves, 'switch', 'after'),
  'after the new place was opened': () => dieAt(mover, 'open', 'after'),
  'after the old place was cleared': () => dieAt(mover, 'clear', 'after'),
};
steps[step]?.();
await runInContext({ actor: { id: 'spec', type: 'system' } }, () =>
  app.get(TenantMoveService).move(slug, wanted, { settleMs: 0 }),
);
await app.close();
