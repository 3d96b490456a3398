import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { wrap } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { AbstractSqlConnection } from '@mikro-orm/sql';
import { ormOptions } from '#libs/persistence';
import { InvalidShardsError } from '../errors/invalid-shards.error.js';
import { ShardClosedError } from '../errors/shard-closed.error.js';
import { UnknownShardError } from '../errors/unknown-shard.error.js';
import type { ShardDefinition } from './shard-definition.js';
import { ShardRegistry } from './shard-registry.js';

@Entity()
class Note {
  @PrimaryKey({ type: 'integer' })
  id!: number;

  @Property({ type: 'string' })
  text!: string;
}

const twoInMemory: ShardDefinition[] = [
  { id: 'shard-1', url: 'sqlite::memory:' },
  { id: 'shard-2', url: 'sqlite::memory:' },
];

describe('ShardRegistry', () => {
  const opened: ShardRegistry[] = [];
  const registryOf = (shards: ShardDefinition[]) => {
    const registry = new ShardRegistry({
      shards,
      ormOptions: ({ url }) => ormOptions(url, { entities: [Note] }),
    });
    opened.push(registry);
    return registry;
  };
  const withTables = async (shards = twoInMemory) => {
    const registry = registryOf(shards);
    for (const { orm } of registry.all()) await orm.schema.create();
    return registry;
  };

  afterEach(async () => {
    for (const registry of opened.splice(0)) await registry.close();
  });

  it('refuses an unknown shard and names the known ones', () => {
    const registry = registryOf(twoInMemory);
    expect(registry.has('shard-9')).toBe(false);
    expect(() => registry.entityManager('shard-9')).toThrow(UnknownShardError);
    expect(() => registry.get('shard-9')).toThrow(/shard-1, shard-2/);
  });

  it('refuses two shards of one id, and none', () => {
    expect(() => registryOf([...twoInMemory, ...twoInMemory])).toThrow(InvalidShardsError);
    expect(() => registryOf([])).toThrow(InvalidShardsError);
  });

  it('makes instances and units of work of servers that do not exist, without connecting', () => {
    const registry = registryOf([
      { id: 'pg', url: 'postgresql://postgres@127.0.0.1:1/none' },
      { id: 'maria', url: 'mariadb://root@127.0.0.1:1/none' },
    ]);
    for (const { id, orm } of registry.all()) {
      expect(registry.entityManager(id).name).toBe(id);
      expect((orm.driver.getConnection() as AbstractSqlConnection & { connected: boolean }).connected).toBe(false);
    }
  });

  it('discovers the entities once per engine', () => {
    const registry = registryOf([...twoInMemory, { id: 'pg', url: 'postgresql://postgres@127.0.0.1:1/none' }]);
    const [first, second, pg] = registry.all().map(({ orm }) => orm.getMetadata(Note));
    expect(second).toBe(first);
    expect(pg).not.toBe(first);
  });

  it('keeps one primary key on two shards as two objects, each in its own database', async () => {
    const registry = await withTables();
    for (const id of registry.ids) {
      const em = registry.entityManager(id);
      em.create(Note, { id: 1, text: `on ${id}` });
      await em.flush();
    }
    const [a, b] = await Promise.all(registry.ids.map((id) => registry.entityManager(id).findOneOrFail(Note, 1)));
    expect([a?.text, b?.text]).toEqual(['on shard-1', 'on shard-2']);
    expect(wrap(b, true).__em?.name).toBe('shard-2');
  });

  it('binds a unit of work to its shard, also inside a transaction of another', async () => {
    const registry = await withTables();
    await registry.get('shard-1').em.transactional(async () => {
      const em = registry.entityManager('shard-2');
      em.create(Note, { id: 7, text: 'two' });
      await em.flush();
    });
    expect(await registry.entityManager('shard-1').count(Note)).toBe(0);
    expect(await registry.entityManager('shard-2').count(Note)).toBe(1);
  });

  it('opens one pool even when the first statements come at the same time', async () => {
    const registry = registryOf([{ id: 'maria', url: 'mariadb://root@127.0.0.1:1/none' }]);
    const connection = registry.get('maria').driver.getConnection();
    let pools = 0;
    const createDialect = connection.createKyselyDialect.bind(connection);
    connection.createKyselyDialect = (options) => {
      pools++;
      return createDialect(options);
    };
    await Promise.allSettled([1, 2, 3].map(() => connection.execute('select 1')));
    expect(pools).toBe(1);
  });

  it('refuses every unit of work made before it was closed', async () => {
    const registry = await withTables();
    const em = registry.entityManager('shard-1');
    await registry.close();
    await registry.close();
    await expect(em.find(Note, {})).rejects.toThrow(/shard "shard-1" is closed/);
    expect(() => registry.entityManager('shard-1')).toThrow(ShardClosedError);
  });

  it('hands replicas of a shard to its driver', () => {
    const registry = registryOf([
      { id: 'pg', url: 'postgresql://a@127.0.0.1:1/one', replicaUrls: ['postgresql://a@127.0.0.1:2/two'] },
    ]);
    const replicas = registry.get('pg').config.get('replicas');
    expect(replicas?.map(({ clientUrl }) => clientUrl)).toEqual(['postgresql://a@127.0.0.1:2/two']);
  });

  describe('ping', () => {
    it('tells which shards answer, all within one deadline', async () => {
      // A server that accepts and never says a word: the worst kind of dead.
      const sockets: Socket[] = [];
      const silent = createServer((socket) => sockets.push(socket)).listen(0, '127.0.0.1');
      await new Promise((resolve) => silent.once('listening', resolve));
      const { port } = silent.address() as AddressInfo;
      const registry = registryOf([
        { id: 'up', url: 'sqlite::memory:' },
        { id: 'down', url: 'postgresql://postgres@127.0.0.1:1/none' },
        { id: 'hung', url: `postgresql://postgres@127.0.0.1:${port}/none` },
      ]);
      const start = performance.now();
      const health = await registry.pingAll(150);
      expect(health.map(({ id, ok }) => [id, ok])).toEqual([
        ['up', true],
        ['down', false],
        ['hung', false],
      ]);
      expect(health[2]?.ms).toBeGreaterThanOrEqual(149);
      expect(performance.now() - start).toBeLessThan(1500);
      await registry.ping('hung', 20);
      expect(sockets).toHaveLength(1);
      for (const socket of sockets) socket.destroy();
      silent.close();
    });
  });
});
