import { ormOptions } from '#libs/persistence';
import { createShardedEntityManagerFactory, ShardRegistry } from '#libs/sharding';
import type { Comparison, Contender } from '../benchmark.js';
import { reachableEngines } from '../databases.js';
import { Item } from './item.entity.js';
import { rows, SHARDS, Shards } from './shards.js';

const TURNS = 100;
const SLEEP_MS = 100;

/** A control that is no work but a promise: so many microseconds for each of `times`. */
function promised(micros: number, times: number): Contender {
  const milliseconds = (micros * times) / 1000;
  return { name: `${micros} µs each`, run: async () => ({ cpuMs: milliseconds, wallMs: milliseconds }) };
}

async function choosing(): Promise<Comparison> {
  const shards = await Shards.open();
  const em = shards.create();
  const name = 'explainRoute, route and reason';
  return {
    title: `choosing the shard of a row by its key, ${rows.length * TURNS} times`,
    control: promised(1, rows.length * TURNS),
    contenders: [
      {
        name: 'shard chooser',
        run() {
          const { shardChooser, context, meta } = shards.choosing();
          for (let turn = 0; turn < TURNS; turn++) for (const row of rows) shardChooser(row, meta, context);
        },
      },
      {
        name,
        run() {
          for (let turn = 0; turn < TURNS; turn++) for (const { id } of rows) em.explainRoute(Item, id);
        },
      },
    ],
    budgets: { 'shard chooser': 1, [name]: 1 },
    close: () => shards.close(),
  };
}

async function touching(): Promise<Comparison> {
  const shards = await Shards.open();
  const { ids } = shards.registry;
  const factory = shards.factory();
  const units = 2_500;
  const name = 'a unit of work, and its shards one by one';
  return {
    title: `first touch of a shard in a unit of work, pools open, ${units * SHARDS} times`,
    control: promised(10, units * SHARDS),
    contenders: [
      {
        name,
        async run() {
          for (let unit = 0; unit < units; unit++) {
            const em = factory.create();
            for (const id of ids) await em.on(id);
          }
        },
      },
    ],
    budgets: { [name]: 1 },
    close: () => shards.close(),
  };
}

/** Four pools on one server: what is measured is whether they wait for each other. */
async function waiting(): Promise<Comparison | undefined> {
  const postgresql = reachableEngines().find(({ name }) => name === 'postgresql');
  if (!postgresql) return undefined;
  const registry = new ShardRegistry({
    shards: Array.from({ length: SHARDS }, (_, index) => ({ id: `shard-${index}`, url: postgresql.url })),
    ormOptions: ({ url }) => ormOptions(url, { entities: [Item] }),
  });
  const everywhere = () => registry.ids;
  const nowhere = () => {
    throw new Error('Nothing is stored here.');
  };
  const factory = createShardedEntityManagerFactory({
    shards: registry,
    shardChooser: nowhere,
    identityChooser: everywhere,
    executeChooser: everywhere,
  });
  const sql = `select pg_sleep(${SLEEP_MS / 1000})`;
  const name = `${SHARDS} shards`;
  return {
    title: `fan-out over shards that take ${SLEEP_MS} ms each, ${postgresql.label}`,
    control: { name: 'one of them', run: async () => void (await factory.create({ shard: 'shard-0' }).execute(sql)) },
    contenders: [{ name, run: async () => void (await factory.create().execute(sql)) }],
    budgets: { [name]: 1.2 },
    close: () => registry.close(),
  };
}

/** What sharding itself costs: choosing, touching, and waiting for several at once. */
export async function* routingCosts(): AsyncIterable<Comparison> {
  yield await choosing();
  yield await touching();
  const comparison = await waiting();
  if (comparison) yield comparison;
  else console.log('PostgreSQL is not there: waiting for several shards is not measured.\n');
}
