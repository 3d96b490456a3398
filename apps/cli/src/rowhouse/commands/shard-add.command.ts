import { SlotDirectory } from '#libs/sharding';
import type { CliCall, CliCommand } from '../cli-command.js';
import { reportRebalance } from '../shards/report-rebalance.js';
import { UsageError } from '../usage.error.js';

/** Lets a configured shard take its share of the slots, or another share than before. */
export const shardAddCommand: CliCommand = {
  noun: 'shard',
  verb: 'add',
  summary: 'let a shard of the configuration take new tenants, by as few moves of empty slots as that takes',
  changes: true,
  configure: (command) =>
    command
      .argument('<shard>', 'id of a shard in SHARDS')
      .option('--weight <number>', 'share of the slots, relative to the other shards', '1'),
  async run({ args: [id = ''], options, dryRun, app, terminal }: CliCall) {
    const weight = Number(options.weight);
    if (!Number.isSafeInteger(weight) || weight < 1) throw new UsageError('--weight wants a whole number from 1.');
    const directory = (await app()).get(SlotDirectory);
    reportRebalance(await directory.add(id, weight, { dryRun }), { dryRun, terminal });
  },
};
