import type { EngineName } from '#libs/persistence';
import type { IsolationStrategyName } from '../placement.js';
import { TenancyError } from './tenancy.error.js';

/** The engine of a shard has no means for an isolation strategy. */
export class StrategyUnsupportedError extends TenancyError {
  readonly code = 'strategy_unsupported';

  constructor(
    readonly strategy: IsolationStrategyName,
    readonly engine: EngineName,
  ) {
    super(`The strategy "${strategy}" is not possible on ${engine}. Choose another one, or a shard of another engine.`);
  }
}
