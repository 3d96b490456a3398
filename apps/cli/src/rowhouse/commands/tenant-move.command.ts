import { TenantMoveService } from '#apps/api';
import { type IsolationStrategyName, type PlaceOfMove, strategyNames } from '#libs/tenancy';
import type { CliCall, CliCommand } from '../cli-command.js';
import { UsageError } from '../usage.error.js';

/** Moves a tenant's rows to a place of another strategy, or on another shard. */
export const tenantMoveCommand: CliCommand = {
  noun: 'tenant',
  verb: 'move',
  summary: 'move the rows of a tenant to a place of another strategy or on another shard; it is served meanwhile',
  changes: true,
  configure: (command) =>
    command
      .argument('<slug>', 'the tenant')
      .option('--strategy <strategy>', `${strategyNames.join(', ')}; default: as it is`)
      .option('--shard <shard>', 'default: where it is')
      .option('--keep-old', 'leave the rows at the old place, where nobody can write them')
      .option('--settle <seconds>', 'how long work that began before can read the old place; default: 60')
      .option('--cancel', 'give up a move that has not come to its end'),
  async run({ args: [slug = ''], options, dryRun, app, terminal }: CliCall) {
    const { strategy, shard, keepOld, cancel, settle } = options;
    const wanted = {
      ...(strategy ? { strategy: toStrategy(strategy) } : {}),
      ...(shard ? { shard: String(shard) } : {}),
    };
    const settleMs = settle === undefined ? undefined : Number(settle) * 1000;
    if (settleMs !== undefined && !(Number.isSafeInteger(settleMs) && settleMs >= 0)) {
      throw new UsageError('--settle wants whole seconds, from 0.');
    }
    const service = (await app()).get(TenantMoveService);
    if (cancel) {
      if (dryRun) return terminal.say(`Would give up the move of ${slug}.`);
      if (!(await terminal.confirm(`Give up the move of ${slug}? Its rows stay where they were.`))) return;
      await service.cancel(slug);
      return terminal.object({ slug, cancelled: true });
    }
    const { source, target } = await service.plan(slug, wanted);
    const what = `${slug} from ${describe(source)} to ${describe(target)}`;
    if (dryRun) return terminal.say(`Would move ${what}.`);
    const question = `Move ${what}? Until its rows are there its writes are answered 503.`;
    if (!(await terminal.confirm(question))) return;
    const say = (line: string) => terminal.say(line);
    const how = { keepOld: keepOld === true, say, ...(settleMs !== undefined && { settleMs }) };
    const { rows, left } = await service.move(slug, wanted, how);
    terminal.object({ slug, from: describe(source), to: describe(target), rows: rows ?? null, left });
  },
};

function toStrategy(name: unknown): IsolationStrategyName {
  const found = strategyNames.find((it) => it === name);
  if (!found) throw new UsageError(`--strategy wants one of ${strategyNames.join(', ')}.`);
  return found;
}

function describe({ strategy, shardId, schemaName, databaseName }: PlaceOfMove): string {
  return [strategy, schemaName ?? databaseName, `on ${shardId}`].filter(Boolean).join(' ');
}
