import type { EngineName } from '#libs/persistence';
import type { IsolationStrategyName } from '../placement.js';

/**
 * Engines that can express each strategy. SQLite attaches ten files at most, so it has no schemas worth the name; MySQL and
 * MariaDB have one current database instead of a path to search, which is what `schema` names anyway.
 */
export const strategyEngines: Readonly<Record<IsolationStrategyName, readonly EngineName[]>> = {
  row: ['sqlite', 'mysql', 'mariadb', 'postgresql'],
  schema: ['mysql', 'mariadb', 'postgresql'],
  'search-path': ['postgresql'],
  database: ['sqlite', 'mysql', 'mariadb', 'postgresql'],
};

/** All strategies by name. */
export const strategyNames = Object.keys(strategyEngines) as [IsolationStrategyName, ...IsolationStrategyName[]];
