import { SlotDirectory } from '#libs/sharding';
import type { CliCall, CliCommand } from '../cli-command.js';
import { reportRebalance } from '../shards/report-rebalance.js';

/** Brings the slots to the weights again, after tenants have left occupied slots. */
export const shardRebalanceCommand: CliCommand = {
  noun: 'shard',
  verb: 'rebalance',
  summary: 'move as few empty slots as it takes to bring every shard to its weight',
  changes: true,
  async run({ dryRun, app, terminal }: CliCall) {
    const directory = (await app()).get(SlotDirectory);
    reportRebalance(await directory.rebalance({ dryRun }), { dryRun, terminal });
  },
};
