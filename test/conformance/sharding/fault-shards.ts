import { ormOptions } from '#libs/persistence';
import {
  createShardedEntityManagerFactory,
  createShardKeyChoosers,
  directoryPlacement,
  type ShardDefinition,
  type ShardedEntityManager,
  type ShardId,
  ShardRegistry,
} from '#libs/sharding';
import { Location, weatherModel } from './weather.model.js';

export const ANSWER_MS = 300;
export const CONNECT_MS = 1000;

/** Long enough for a machine that has other work to do. */
const PATIENT_MS = 30_000;

/**
 * Each shard holds the continent that is called like it.
 * @param answerMs  how long a statement may take; short only where a shard hangs
 */
export function openShards(shards: readonly ShardDefinition[], answerMs = PATIENT_MS): ShardRegistry {
  return new ShardRegistry({
    shards,
    ormOptions: ({ url }) => ormOptions(url, { entities: weatherModel, logger: () => undefined }, { max: 3 }),
    // Faults follow each other too quickly for a circuit breaker.
    patience: {
      connectMs: answerMs === PATIENT_MS ? PATIENT_MS : CONNECT_MS,
      answerMs,
      failures: Number.MAX_SAFE_INTEGER,
    },
  });
}

/** A unit of work with one new location on each of `ids`. */
export function aSpreadChange(shards: ShardRegistry, ids: readonly ShardId[], id: number): ShardedEntityManager {
  const placement = directoryPlacement((continent) => String(continent));
  const choosers = createShardKeyChoosers({ placement, keys: [{ entity: Location, property: 'continent' }] });
  const em = createShardedEntityManagerFactory({ shards, ...choosers }).create();
  for (const continent of ids) em.create(Location, { id, continent });
  return em;
}
