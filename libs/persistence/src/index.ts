export { CentralEntityManager } from './central-entity-manager.js';
export { CurrentEntityManager } from './current-entity-manager.js';
export type { DriverClass, Engine, EngineName, PoolOptions } from './engines/engine.js';
export { engines, getEngine } from './engines/engines.js';
export { Money } from './entities/money.js';
export { TenantOwned } from './entities/tenant-owned.js';
export { PersistenceError } from './errors/persistence.error.js';
export { UnknownEngineError } from './errors/unknown-engine.error.js';
export { type OrmOverrides, ormOptions } from './orm-options.js';
