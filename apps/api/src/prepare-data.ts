import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { runInContext } from '#libs/context';
import { AccountStore } from '#libs/identity';
import { runAlone } from '#libs/persistence';
import { TransactionRecoverer } from '#libs/sharding';
import type { AppConfig } from './config/app.config.js';
import { DemoSeeder } from './demo/demo-seeder.js';
import { assertSessions } from './storage/assert-sessions.js';
import { DatabaseMigrator, type MigratedDatabase } from './storage/database-migrator.js';
import { LatePlaces } from './storage/late-places.js';
import { LateShards } from './storage/late-shards.js';
import { ShardRowSecurity } from './storage/shard-row-security.js';
import { ShardTransactions } from './storage/shard-transactions.js';

/**
 * Brings every database up to date, makes sure that it keeps tenants apart, and makes what the configuration asks for: the
 * operator, the demo tenants. Instances that start at the same time do it one after the other.
 * @param say  takes lines of progress
 */
export async function prepareData(
  app: NestFastifyApplication,
  config: AppConfig,
  say: (line: string) => void,
): Promise<void> {
  await assertSessions(config);
  await runAlone(config.centralUrl, 'rowhouse start-up', () => prepare(app, config, say));
  app.get(LateShards).watch();
  app.get(LatePlaces).watch();
  app.get(TransactionRecoverer).start();
}

async function prepare(app: NestFastifyApplication, config: AppConfig, say: (line: string) => void): Promise<void> {
  for (const migrated of await app.get(DatabaseMigrator).migrateAll()) {
    const line = describeMigration(migrated);
    if (line) say(line);
  }
  await app.get(ShardRowSecurity).enforce();
  await app.get(ShardTransactions).assertReady();
  const { operator } = config;
  if (operator) {
    await runInContext({ actor: { id: 'start-up', type: 'system' } }, () =>
      app.get(AccountStore).ensureOperator({ ...operator, name: 'Platform operator' }),
    );
  }
  if (config.seedDemo) await app.get(DemoSeeder).seed(say);
}

function describeMigration({ id, ran, error }: MigratedDatabase): string | undefined {
  if (error !== undefined) {
    const reason = error instanceof Error ? error.message : String(error);
    return `Database ${id}: could not be brought up to date, so it is not served. ${reason}`;
  }
  return ran.length > 0 ? `Database ${id}: ran ${ran.length} migration${ran.length > 1 ? 's' : ''}.` : undefined;
}
