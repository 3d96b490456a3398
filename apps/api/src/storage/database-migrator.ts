import type { MikroORM } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { runInSystemFrame } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { CentralDatabase } from './central-database.js';

/** One database that was brought up to date. */
export interface MigratedDatabase {
  /** `central` or a shard id. */
  readonly id: string;
  /** Names of the migrations that ran; empty when there was nothing to do. */
  readonly ran: readonly string[];
}

/** Brings the central database and every shard up to date. */
@Injectable()
export class DatabaseMigrator {
  constructor(
    private readonly central: CentralDatabase,
    private readonly shards: ShardRegistry,
  ) {}

  /** One after the other, so that a failure names its database and leaves those behind it untouched. */
  async migrateAll(): Promise<MigratedDatabase[]> {
    const databases = [{ id: 'central', orm: this.central.orm as MikroORM }, ...this.shards.all()];
    const migrated: MigratedDatabase[] = [];
    for (const { id, orm } of databases) {
      const ran = await runInSystemFrame(`migrate ${id}`, () => orm.migrator.up());
      migrated.push({ id, ran: ran.map((it) => it.name) });
    }
    return migrated;
  }
}
