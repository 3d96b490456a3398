// A process that commits one location on each shard in the mode `atomic`, when told to. Killed on the way by its parent.
import { aSpreadChange, openShards } from './fault-shards.js';
import { Location } from './weather.model.js';

/** What the parent says. */
export interface Order {
  readonly homeShard: string;
  readonly id: number;
}

const shards = openShards(JSON.parse(process.env.FAULT_SHARDS ?? '[]'));
// Open connections, so that nothing but the transaction itself is on the wire later.
await Promise.all(shards.ids.map((id) => shards.entityManager(id).count(Location)));
process.on('message', async ({ homeShard, id }: Order) => {
  await aSpreadChange(shards, shards.ids, id).flush({ mode: 'atomic', homeShard });
  process.send?.('done');
});
process.send?.('ready');
