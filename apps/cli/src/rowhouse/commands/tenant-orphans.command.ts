import { OrphansService } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';
import { UsageError } from '../usage.error.js';

/** Lists what crashes and moves have left on the shards, and removes one of it. */
export const tenantOrphansCommand: CliCommand = {
  noun: 'tenant',
  verb: 'orphans',
  summary:
    'list schemas, databases and rows that belong to no tenant, what moves have left, and places that are missing',
  changes: true,
  configure: (command) =>
    command.argument('[name]', 'the one to remove, by its name in the list').option('--shard <shard>', 'where it is'),
  async run({ args: [name], options: { shard }, dryRun, app, terminal }: CliCall) {
    if ((name === undefined) !== (shard === undefined)) throw new UsageError('Give both a name and its --shard.');
    const orphans = (await app()).get(OrphansService);
    if (name === undefined) {
      const found = await orphans.list();
      return terminal.table(
        found.map(({ kind, name: called, shard: on, since, placement: { strategy, schemaName, databaseName } }) => {
          return { kind, name: called, shard: on, place: schemaName ?? databaseName ?? `its ${strategy}s`, since };
        }),
      );
    }
    if (dryRun) return terminal.say(`Would remove ${name} from ${String(shard)}.`);
    const question = `Remove ${name} from ${String(shard)} for good? On a server it may be of another installation.`;
    if (!(await terminal.confirm(question))) return;
    await orphans.remove(name, String(shard));
    terminal.object({ name, shard: String(shard), removed: true });
  },
};
