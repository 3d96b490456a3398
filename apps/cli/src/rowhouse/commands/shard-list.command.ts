import type { CliCall, CliCommand } from '../cli-command.js';
import { describeShards } from '../shards/describe-shards.js';

/** Shows the shards: which are configured, which take new tenants, and which answer. */
export const shardListCommand: CliCommand = {
  noun: 'shard',
  verb: 'list',
  summary: 'list the shards with their slots and tenants, and whether they answer',
  async run({ app, terminal }: CliCall) {
    terminal.table(await describeShards(await app()));
  },
};
