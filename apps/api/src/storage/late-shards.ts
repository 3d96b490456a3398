import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { assertOwnSessions, runInSystemFrame } from '#libs/persistence';
import { type ShardId, ShardRegistry } from '#libs/sharding';
import { DatabaseMigrator } from './database-migrator.js';
import { ShardReadiness } from './shard-readiness.js';
import { ShardRowSecurity } from './shard-row-security.js';
import { ShardTransactions } from './shard-transactions.js';

const INTERVAL_MS = 2_000;

/** Brings shards up to date that were away when the application started, as soon as they answer. */
@Injectable()
export class LateShards implements OnApplicationShutdown {
  readonly #logger = new Logger('LateShards');
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;

  constructor(
    private readonly shards: ShardRegistry,
    private readonly readiness: ShardReadiness,
    private readonly migrator: DatabaseMigrator,
    private readonly rowSecurity: ShardRowSecurity,
    private readonly transactions: ShardTransactions,
  ) {}

  /** Looks after every interval, as long as a shard waits. Does not keep the process alive. */
  watch(): void {
    if (this.readiness.waiting.length === 0 || this.#timer) return;
    this.#timer = setInterval(() => void this.#lookOnce(), INTERVAL_MS).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
  }

  #lookOnce(): Promise<void> {
    this.#running ??= this.#look().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #look(): Promise<void> {
    for (const id of this.readiness.waiting) {
      // As the kit itself: the role of requests may not exist there yet.
      const { ok } = await runInSystemFrame('late shard', () => this.shards.ping(id, INTERVAL_MS), { isBounded: true });
      if (ok) await this.#bringUp(id);
    }
    if (this.readiness.waiting.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #bringUp(id: ShardId): Promise<void> {
    try {
      await assertOwnSessions(this.shards.definition(id).url, `shard ${id}`);
      const migrated = await this.migrator.migrateShard(id);
      await this.rowSecurity.enforceOn(id);
      await this.transactions.assertReadyOn([id]);
      this.readiness.ready(id);
      const count = migrated.reduce((sum, { ran }) => sum + ran.length, 0);
      this.#logger.log(`Shard ${id} is back and up to date; ran ${count} migrations.`);
      for (const { id: place, error } of migrated) {
        if (error !== undefined) this.#logger.error(`Database ${place} is not served: ${String(error)}`);
      }
    } catch (error) {
      this.#logger.error(`Shard ${id} answers and could not be brought up to date: ${String(error)}`);
    }
  }
}
