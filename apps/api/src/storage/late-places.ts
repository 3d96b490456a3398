import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { IsolationStrategies } from '#libs/tenancy';
import { DatabaseMigrator } from './database-migrator.js';

const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 60_000;

/**
 * Brings places of single tenants up to date that could not be when that was tried: again and again, at growing intervals. So
 * a tenant is served again soon after somebody has repaired its place, in every process, without a restart.
 */
@Injectable()
export class LatePlaces implements OnApplicationShutdown {
  readonly #logger = new Logger('LatePlaces');
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #isOver = false;

  constructor(
    private readonly strategies: IsolationStrategies,
    private readonly migrator: DatabaseMigrator,
  ) {}

  /** From now on. Does not keep the process alive, and asks nobody while every place is up to date. */
  watch(pauseMs = FIRST_PAUSE_MS): void {
    if (this.#isOver) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#look()
        .catch((error: unknown) => this.#logger.warn(`Places could not be looked at: ${String(error)}`))
        .then(() => this.watch(this.strategies.hasBehind ? Math.min(2 * pauseMs, LONGEST_PAUSE_MS) : FIRST_PAUSE_MS));
    }, pauseMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    this.#isOver = true;
    clearTimeout(this.#timer);
    await this.#running;
  }

  async #look(): Promise<void> {
    if (!this.strategies.hasBehind) return;
    const migrated = await this.migrator.migratePlaces(({ placement }) => this.strategies.isBehind(placement));
    for (const { id, error } of migrated) {
      if (error === undefined) this.#logger.log(`Database ${id} is up to date, and served again.`);
    }
  }
}
