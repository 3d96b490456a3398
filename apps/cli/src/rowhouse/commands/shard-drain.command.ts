import { SlotDirectory } from '#libs/sharding';
import type { CliCall, CliCommand } from '../cli-command.js';
import { reportRebalance } from '../shards/report-rebalance.js';

/** Takes a shard out of placement. Its tenants stay where they are, and are named. */
export const shardDrainCommand: CliCommand = {
  noun: 'shard',
  verb: 'drain',
  summary: 'let a shard take no new tenants, and give its empty slots to the others',
  changes: true,
  configure: (command) => command.argument('<shard>', 'id of the shard'),
  async run({ args: [id = ''], dryRun, app, terminal }: CliCall) {
    const directory = (await app()).get(SlotDirectory);
    if (!dryRun && !(await terminal.confirm(`Shard "${id}" takes no new tenants from now on.`))) return;
    reportRebalance(await directory.drain(id, { dryRun }), { dryRun, terminal });
  },
};
