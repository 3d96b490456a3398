import type { Configuration } from '@mikro-orm/core';

/**
 * A fork allows the global context for the moment of its making. MikroORM 7.2.1 takes that for a change of its options and
 * writes one of them into the environment of the process, twice for each fork, which is half of what a fork costs.
 */
export function keepForksOutOfEnvironment(config: Configuration): void {
  const set = config.set.bind(config);
  config.set = ((key: Parameters<typeof set>[0], value: never) => {
    if (key === 'allowGlobalContext') config.getAll().allowGlobalContext = value;
    else set(key, value);
  }) as typeof config.set;
}
