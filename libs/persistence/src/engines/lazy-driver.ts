import { createRequire } from 'node:module';
import type { AbstractSqlDriver } from '@mikro-orm/sql';
import type { DriverClass } from './engine.js';

const require = createRequire(import.meta.url);

/**
 * The driver class of a MikroORM package, loaded when it is first asked for: a process pays start-up time and memory for
 * the engines it opens, not for all four (some 15 MB).
 */
export class LazyDriver {
  #loaded: DriverClass | undefined;

  constructor(
    private readonly packageName: string,
    private readonly className: string,
    private readonly wrap: (driver: DriverClass) => DriverClass,
  ) {}

  get class(): DriverClass {
    this.#loaded ??= this.wrap(
      (require(this.packageName) as Record<string, DriverClass>)[this.className] as DriverClass,
    );
    return this.#loaded;
  }

  /** Whether `driver` is of this class. Loads nothing: what was never loaded made no driver. */
  made(driver: AbstractSqlDriver): boolean {
    return this.#loaded !== undefined && driver instanceof this.#loaded;
  }
}
