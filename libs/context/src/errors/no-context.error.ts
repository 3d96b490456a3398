import { ContextError } from './context.error.js';

/** Code that needs a context ran outside one: in a bare script, or in a callback created before the context opened. */
export class NoContextError extends ContextError {
  readonly code = 'no_context';

  constructor() {
    super('There is no context here. Wrap the work in runInContext(seed, fn) or runAs({ tenant, actor }, fn).');
  }
}
