import type { MikroORM } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { runAlone, runInSystemFrame } from '#libs/persistence';
import { isUnavailable, type ShardId, ShardRegistry } from '#libs/sharding';
import { IsolationStrategies } from '#libs/tenancy';
import { AppConfig } from '../config/app.config.js';
import { CentralDatabase } from './central-database.js';
import { ShardReadiness } from './shard-readiness.js';
import { type OwnPlace, TenantPlaces } from './tenant-places.js';

/** One database, or one tenant's place, that was brought up to date or could not be. */
export interface MigratedDatabase {
  /** `central`, a shard id, or `tenant <slug>`. */
  readonly id: string;
  /** Names of the migrations that ran; empty when there was nothing to do. */
  readonly ran: readonly string[];
  /** Why a shard or a tenant's place is as it was. Who lives there is not served by this process until it is brought up to date. */
  readonly error?: unknown;
}

/** Places brought up to date at the same time. */
const AT_ONCE = 4;

/** Brings the central database, every shard, and every schema or database of a single tenant up to date. */
@Injectable()
export class DatabaseMigrator {
  constructor(
    private readonly config: AppConfig,
    private readonly central: CentralDatabase,
    private readonly shards: ShardRegistry,
    private readonly strategies: IsolationStrategies,
    private readonly places: TenantPlaces,
    private readonly readiness: ShardReadiness,
  ) {}

  /**
   * Databases that many use come one after the other, so that a failure names its database and leaves those behind it
   * untouched; a shard that is away is left for later. Of the tenants' own places each stands for itself: one that fails is named, and the others go on.
   *
   * Instances that start at the same time do this one after the other; all but the first find nothing to do.
   */
  migrateAll(): Promise<MigratedDatabase[]> {
    return this.#alone(async () => [
      ...(await this.#migrateShared()),
      ...(await this.#migrateEach(await this.#reachablePlaces())),
    ]);
  }

  /**
   * Brings places of single tenants up to date, several at a time, in no particular order. No other process does it meanwhile.
   * @param wanted  asked of every place there is when it begins: while it waited, a tenant may have been moved
   */
  migratePlaces(wanted: (place: OwnPlace) => boolean): Promise<MigratedDatabase[]> {
    return this.#alone(async () => this.#migrateEach((await this.places.list()).filter(wanted)));
  }

  /** Two who migrate a place at once stand in each other's way, and the one that fails does not serve its tenant. */
  #alone(work: () => Promise<MigratedDatabase[]>): Promise<MigratedDatabase[]> {
    return runAlone(this.config.centralUrl, 'rowhouse migrations', work);
  }

  async #migrateEach(places: readonly OwnPlace[]): Promise<MigratedDatabase[]> {
    const migrated: MigratedDatabase[] = [];
    const left = places.values();
    const work = async () => {
      for (const { slug, placement } of left) {
        const id = `tenant ${slug}`;
        const result = await this.strategies.migrate(placement).then(
          (ran) => ({ id, ran }),
          (error: unknown) => ({ id, ran: [], error }),
        );
        migrated.push(result);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return migrated;
  }

  /** Those on shards that wait are brought up to date with their shard. */
  async #reachablePlaces(): Promise<OwnPlace[]> {
    const waiting = this.readiness.waiting;
    return (await this.places.list()).filter(({ placement }) => !waiting.includes(placement.shardId));
  }

  /** One shard and the tenants' own places on it, once it answers. */
  migrateShard(id: ShardId): Promise<MigratedDatabase[]> {
    return this.#alone(async () => {
      const places = await this.places.list();
      return [
        { id, ran: await migrate(id, this.shards.get(id) as MikroORM) },
        ...(await this.#migrateEach(places.filter(({ placement }) => placement.shardId === id))),
      ];
    });
  }

  async #migrateShared(): Promise<MigratedDatabase[]> {
    const migrated: MigratedDatabase[] = [
      { id: 'central', ran: await migrate('central', this.central.orm as MikroORM) },
    ];
    for (const { id, orm } of this.shards.all()) {
      try {
        migrated.push({ id, ran: await migrate(id, orm as MikroORM) });
      } catch (error) {
        // A shard that is away is its own tenants' trouble: they are served once it is back and up to date.
        if (!isUnavailable(error)) throw error;
        this.readiness.wait(id);
        migrated.push({ id, ran: [], error });
      }
    }
    return migrated;
  }
}

async function migrate(id: string, orm: MikroORM): Promise<string[]> {
  const ran = await runInSystemFrame(`migrate ${id}`, () => orm.migrator.up());
  return ran.map((migration) => migration.name);
}
