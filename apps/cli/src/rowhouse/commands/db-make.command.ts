import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { centralModel, tenantModel } from '#apps/api';
import type { MigrationSet } from '#database/migrations';
import { type Engine, type EngineName, engines, getEngine } from '#libs/persistence';
import { type MadeMigration, makeMigration } from '../../migrations/make-migration.js';
import { isMigrationSlug } from '../../migrations/migration-file.js';
import type { MigratedModel } from '../../migrations/prove-migration.js';
import { type NamedMigration, toSources, writeMigrations } from '../../migrations/write-migrations.js';
import type { CliCall, CliCommand } from '../cli-command.js';
import { UsageError } from '../usage.error.js';

interface MakeOptions {
  readonly set?: string;
  readonly server?: readonly string[];
  readonly engine?: readonly string[];
  readonly folder: string;
}

/** What the databases of each set are, on an engine. */
export type MigratedModels = Readonly<Record<MigrationSet, (engine: Engine) => MigratedModel>>;

/** Writes the migrations that are missing between the entities and the migrations so far, and lists them. */
export const dbMakeCommand = createDbMakeCommand({ central: centralModel, tenant: tenantModel });

/** The same for other models. */
export function createDbMakeCommand(models: MigratedModels): CliCommand {
  return {
    noun: 'db',
    verb: 'make',
    summary: 'compare the entities with what the migrations make, and write the migrations that are missing',
    changes: true,
    configure: (command: Command) =>
      command
        .argument('<name>', 'what it is about, such as suppliers')
        .option('--set <set>', 'central or tenant alone')
        .option('--engine <name...>', 'these engines alone; the others are yours to write')
        .option(
          '--server <url...>',
          'where empty databases can be made, for each engine but sqlite; default: as configured',
        )
        .option('--folder <folder>', 'where the migrations are', 'database/migrations'),
    async run(call: CliCall) {
      const { args, dryRun, terminal } = call;
      const options = call.options as unknown as MakeOptions;
      const { folder } = options;
      const [slug = ''] = args;
      if (!isMigrationSlug(slug))
        throw new UsageError(`"${slug}" is no name for a file: small letters, digits and dashes.`);
      if (!existsSync(join(folder, 'migration-list.ts'))) {
        throw new UsageError(
          `There are no sources of migrations in "${folder}": they are made where they are developed.`,
        );
      }
      // All of them before the first is written: an engine with one less would go unnoticed until it is used.
      const made = await makeAll(models, call, options);
      for (const caution of new Set(made.flatMap(({ cautions }) => cautions))) terminal.say(`Mind: ${caution}.`);
      if (made.length === 0) {
        terminal.say('Entities and migrations agree: there is nothing to make.');
        if (call.options.json) terminal.table([]);
        return;
      }
      const sources = toSources(folder, slug, made);
      if (dryRun) return terminal.text(sources.map(({ path, source }) => `// ${path}\n${source}`).join('\n'));
      writeMigrations(folder, sources);
      terminal.table(sources.map(({ set, engine, path }) => ({ set, engine, file: path })));
    },
  };
}

async function makeAll(
  models: MigratedModels,
  call: CliCall,
  options: MakeOptions,
): Promise<(NamedMigration & MadeMigration)[]> {
  const sets = oneOf(options.set, ['central', 'tenant']) as MigrationSet[];
  const names = options.engine?.flatMap((name) => oneOf(name, Object.keys(engines))) ?? Object.keys(engines);
  const wanted = names.map((name) => engines[name as EngineName]);
  const servers = findServers(call, options, wanted);
  const made: (NamedMigration & MadeMigration)[] = [];
  for (const set of sets) {
    for (const engine of wanted) {
      const migration = await makeMigration(engine, servers.get(engine.name), models[set](engine));
      if (migration) made.push({ ...migration, set, engine: engine.name });
    }
  }
  return made;
}

function oneOf(given: string | undefined, known: readonly string[]): readonly string[] {
  if (given === undefined) return known;
  if (!known.includes(given)) throw new UsageError(`"${given}" is none of ${known.join(', ')}.`);
  return [given];
}

/** Only those that have a server need one. @throws {UsageError} when one of `wanted` has none */
function findServers(call: CliCall, { server }: MakeOptions, wanted: readonly Engine[]): Map<EngineName, string> {
  const urls = server ?? configuredUrls(call);
  const servers = new Map(urls.map((url) => [getEngine(url).name, url]));
  servers.delete('sqlite');
  const missing = wanted.filter(({ name, wire }) => wire !== undefined && !servers.has(name)).map(({ name }) => name);
  if (missing.length > 0) {
    throw new UsageError(
      `To make migrations for ${missing.join(', ')} an empty database is needed. Say where: ` +
        `${missing.map((name) => `--server ${name}://user:password@127.0.0.1/any`).join(' ')}; or leave them out with --engine.`,
    );
  }
  return servers;
}

function configuredUrls(call: CliCall): readonly string[] {
  const { centralUrl, shards } = call.config();
  return [centralUrl, ...shards.map(({ url }) => url)];
}
