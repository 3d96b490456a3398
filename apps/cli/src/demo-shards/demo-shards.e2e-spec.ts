import { beforeAll, describe, expect, it } from '@jest/globals';
import type { ShardDefinition } from '#libs/sharding';
import { createTestDatabase, eachEngine } from '#libs/testing';
import { runShardsDemo } from './demo-shards.js';

describe('demo:shards', () => {
  eachEngine((engine) => {
    const lines: string[] = [];
    const shown = (part: string | RegExp) =>
      lines.filter((line) => (typeof part === 'string' ? line.includes(part) : part.test(line)));

    beforeAll(async () => {
      const databases = await Promise.all([createTestDatabase(engine), createTestDatabase(engine)]);
      const shards: ShardDefinition[] = databases.map(({ url }, index) => ({ id: `shard-${index + 1}`, url }));
      await runShardsDemo(shards, (line = '') => lines.push(line));
      // A second run finds the databases as empty as the first did.
      await runShardsDemo(shards, () => {});
      for (const database of databases) await database.drop();
    }, 60_000);

    it('stores 101 on the second shard and 102 on the first', () => {
      expect(shown('→')).toEqual(['   Laptop, key 101 → shard-2', '   手机, key 102 → shard-1']);
      expect(shown(/shard-2 │ insert into .demo_product/)).toHaveLength(1);
      expect(shown(/shard-1 │ insert into .demo_product/)).toHaveLength(1);
    });

    it('lists them from both shards in one order', () => {
      expect(shown('route of {}:')).toEqual(['   route of {}: shard-1, shard-2 (by query)']);
      expect(shown('EUR  ')).toEqual(['   1299.00 EUR  Laptop  (shard-2)', '   699.00 EUR  手机  (shard-1)']);
      expect(shown('together')).toEqual(['   together: 2 products, sum of their keys 203']);
    });

    it('asks and writes one shard for a product of known key', () => {
      expect(shown('{"shardKey":102}')).toEqual(['   route of {"shardKey":102}: shard-1 (by query)']);
      expect(shown(/│ update/)).toEqual([expect.stringContaining('shard-1 │')]);
    });

    it('refuses to change a shard key', () => {
      expect(shown('shard_key_changed')).toHaveLength(1);
    });

    it('shows the audit entries of each change on the shard of its row', () => {
      const entries = shown('by demo@rowhouse.example').map((line) => line.trim().split(/ {2,}/).slice(0, 3));
      expect(entries.sort()).toEqual([
        ['shard-1', 'create', 'ShopProduct'],
        ['shard-1', 'update', 'ShopProduct'],
        ['shard-2', 'create', 'ShopProduct'],
      ]);
      expect(shown('"price.amount":{"old":69900,"new":64900}')).toHaveLength(1);
    });
  });
});
