import type { INestApplicationContext } from '@nestjs/common';
import { getEngine } from '#libs/persistence';
import { ShardRegistry, SlotDirectory, SlotOccupants } from '#libs/sharding';

const DEADLINE_MS = 2_000;

/** One line per shard that is configured or has a part in placement. */
export async function describeShards(app: INestApplicationContext): Promise<Record<string, unknown>[]> {
  const registry = app.get(ShardRegistry);
  const { table, shards } = await app.get(SlotDirectory).read();
  const records = new Map(shards.map((shard) => [shard.id, shard]));
  const health = new Map((await registry.pingAll(DEADLINE_MS)).map((it) => [it.id, it]));
  const occupants = app.get(SlotOccupants);
  const lines = [...new Set([...registry.ids, ...records.keys()])].map(async (id) => ({
    id,
    engine: registry.has(id) ? getEngine(registry.definition(id).url).name : undefined,
    // Configured and never added; or added, and gone from the configuration of this process.
    state: registry.has(id) ? (records.get(id)?.state ?? 'not added') : 'not configured',
    weight: records.get(id)?.weight ?? 0,
    slots: table.filter((shard) => shard === id).length,
    tenants: (await occupants.listOn(id)).length,
    ok: health.get(id)?.ok ?? false,
    ms: health.get(id)?.ms,
  }));
  return Promise.all(lines);
}
