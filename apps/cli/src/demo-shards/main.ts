import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseShards, ShardingError } from '#libs/sharding';
import { runShardsDemo } from './demo-shards.js';

const print = (line = '') => console.log(line);

/** `npm run demo:shards [-- shard-1=<url>,shard-2=<url>]`: on two sqlite files of its own, or on the databases given. */
async function main(shardsArgument: string | undefined): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'rowhouse-shards-'));
  const own = `shard-1=sqlite:${join(folder, 'shard-1.sqlite')},shard-2=sqlite:${join(folder, 'shard-2.sqlite')}`;
  try {
    await runShardsDemo(parseShards(shardsArgument ?? own), print);
    print('Done. The tables of this demo are removed again.');
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

try {
  await main(process.argv[2]);
} catch (error) {
  if (!(error instanceof ShardingError)) throw error;
  console.error(error.message);
  process.exitCode = 2;
}
