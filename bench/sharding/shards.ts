import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EntityMetadata } from '@mikro-orm/core';
import Database from 'better-sqlite3';
import { ormOptions } from '#libs/persistence';
import {
  createShardedEntityManagerFactory,
  createShardKeyChoosers,
  moduloPlacement,
  type ShardedEntityManager,
  type ShardedEntityManagerFactory,
  ShardRegistry,
} from '#libs/sharding';
import { Item } from './item.entity.js';

export const ROWS = 10_000;
export const GETS = 2_000;
export const SHARDS = 4;
export const SELECT = 'select id, tenant, name, amount, note from item';

type Row = Required<Pick<Item, 'id' | 'tenant' | 'name' | 'amount'>> & { note: string };

export const rows = Array.from({ length: ROWS }, (_, index): Row => {
  const id = index + 1;
  return {
    id,
    tenant: `t${id % 97}`,
    name: `item number ${id}`,
    amount: id * 1.25,
    note: `some note text for row ${id}`,
  };
});
/** Keys in an order that jumps between shards, as the script does. */
export const keys = Array.from({ length: GETS }, (_, index) => ((index * 7919) % ROWS) + 1);

/** Four files, our registry on them, and the driver's own connections for the floor. */
export class Shards {
  readonly #folder = mkdtempSync(join(tmpdir(), 'rowhouse-bench-'));
  readonly registry: ShardRegistry;
  readonly floor: readonly Database.Database[];
  readonly #gets: readonly Database.Statement[];

  private constructor() {
    const ids = Array.from({ length: SHARDS }, (_, index) => `shard-${index}`);
    const fileOf = (id: string) => join(this.#folder, `${id}.sqlite`);
    this.registry = new ShardRegistry({
      shards: ids.map((id) => ({ id, url: `sqlite:${fileOf(id)}` })),
      ormOptions: ({ url }) => ormOptions(url, { entities: [Item] }),
    });
    this.floor = ids.map((id) => {
      const database = new Database(fileOf(`floor-${id}`));
      database.pragma('journal_mode = wal');
      database.exec(
        'create table item (id integer primary key, tenant text not null, name text not null, amount real not null, note text)',
      );
      return database;
    });
    this.#gets = this.floor.map((database) => database.prepare(`${SELECT} where id = ?`));
  }

  static async open(): Promise<Shards> {
    const shards = new Shards();
    for (const { orm } of shards.registry.all()) await orm.schema.create();
    return shards;
  }

  /** A new unit of work; `narrow: false` asks every shard for a key. */
  create(options: { narrow?: boolean } = {}): ShardedEntityManager {
    return this.factory(options).create();
  }

  factory({ narrow = true } = {}): ShardedEntityManagerFactory {
    const { registry } = this;
    const everywhere = { identityChooser: () => registry.ids, executeChooser: () => registry.ids };
    const choosers = { ...this.#choosers(), ...(narrow ? {} : everywhere) };
    return createShardedEntityManagerFactory({ shards: registry, ...choosers, mode: 'multi' });
  }

  /** What the shard chooser is called with. */
  choosing() {
    const { registry } = this;
    const meta = registry
      .get(registry.ids[0] as string)
      .getMetadata()
      .get(Item);
    const context = { shards: registry.ids, shardOf: () => undefined };
    return { shardChooser: this.#choosers().shardChooser, meta: meta as EntityMetadata, context };
  }

  #choosers() {
    const placement = moduloPlacement(this.registry.ids);
    return createShardKeyChoosers({ placement, keys: [{ entity: Item, property: 'id' }] });
  }

  async empty(): Promise<void> {
    for (const id of this.registry.ids) await this.registry.entityManager(id).execute('delete from item');
    for (const database of this.floor) database.exec('delete from item');
    await this.#checkpoint();
  }

  /** What was done to prepare a round is not paid for in the round. The script closes its files, which does the same. */
  async #checkpoint(): Promise<void> {
    const sql = 'pragma wal_checkpoint(truncate)';
    for (const id of this.registry.ids) await this.registry.entityManager(id).execute(sql);
    for (const database of this.floor) database.exec(sql);
  }

  async fill(): Promise<void> {
    await this.empty();
    await this.create().insertMany(Item, rows);
    this.insertFloor();
    await this.#checkpoint();
  }

  insertFloor(): void {
    for (const [index, database] of this.floor.entries()) {
      const insert = database.prepare('insert into item (id, tenant, name, amount, note) values (?, ?, ?, ?, ?)');
      database.transaction(() => {
        for (const row of rows) {
          if (row.id % SHARDS === index) insert.run(row.id, row.tenant, row.name, row.amount, row.note);
        }
      })();
    }
  }

  getFloor(id: number): unknown {
    return this.#gets[id % SHARDS]?.get(id);
  }

  async assertFull(): Promise<void> {
    for (const [index, id] of this.registry.ids.entries()) {
      const em = this.registry.entityManager(id);
      const [row] = await em.execute(`select count(*) as n, sum(id % ${SHARDS} <> ${index}) as lost from item`);
      if (Number(row?.n) !== ROWS / SHARDS || Number(row?.lost) !== 0) throw new Error(`${id}: ${JSON.stringify(row)}`);
    }
  }

  async close(): Promise<void> {
    await this.registry.close();
    for (const database of this.floor) database.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
