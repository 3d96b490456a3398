import { MikroORM, type Options } from '@mikro-orm/core';
import type { AbstractSqlDriver } from '@mikro-orm/sql';

/** A MikroORM instance on any of our engines. */
export type ShardOrm = MikroORM<AbstractSqlDriver>;

/**
 * Makes MikroORM instances of one engine that share one metadata discovery and its compiled hydrators.
 * The first instance discovers (some milliseconds); each later one costs about 0.2 ms and 13 KB. Metadata is never
 * shared between engines: column types and DDL would be those of the first.
 *
 * It uses semi-internal parts of MikroORM 7.2.1 (`getMetadata`, `createEntityManager`), which `shard-registry.spec.ts`
 * pins: when that spec fails after an upgrade, this is the file to look at.
 */
export class SharedDiscovery {
  #first: ShardOrm | undefined;

  /** A new instance. Synchronous, and connects to nothing. */
  create(options: Options<AbstractSqlDriver>): ShardOrm {
    if (!this.#first) {
      this.#first = new MikroORM(options);
      return this.#first;
    }
    return this.#adopt(this.#first, options);
  }

  #adopt(first: ShardOrm, options: Options<AbstractSqlDriver>): ShardOrm {
    const metadata = first.getMetadata();
    const orm: ShardOrm = new MikroORM({ ...options, discovery: { ...options.discovery, skipSyncDiscovery: true } });
    // The storage of an instance is a private field that only its own discovery fills, so the accessor is replaced.
    orm.getMetadata = first.getMetadata.bind(first);
    // Each configuration would compile hydrators and comparators of its own: 65–180 KB per instance in use.
    orm.config.getComparator = first.config.getComparator.bind(first.config);
    orm.config.getHydrator = first.config.getHydrator.bind(first.config);
    orm.driver.setMetadata(metadata);
    orm.em = Object.assign(orm.driver.createEntityManager(), { global: true }) as ShardOrm['em'];
    return orm;
  }
}
