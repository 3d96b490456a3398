import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { CentralEntityManager, findInTransaction, getEngine, ormOptions } from '#libs/persistence';
import { AppConfig } from '../config/app.config.js';
import { centralModel } from './central-model.js';
import { logOrm } from './orm-logger.js';

const UNIT_OF_WORK = Symbol('central unit of work');
/** Central work is short: who has waited for this long waits in vain. */
const ACQUIRE_TIMEOUT_MS = 10_000;

/** The central database, and the unit of work on it that each context has. */
@Injectable()
export class CentralDatabase extends CentralEntityManager {
  readonly orm: MikroORM<AbstractSqlDriver>;

  constructor({ centralUrl, poolMax }: AppConfig) {
    super();
    this.orm = new MikroORM<AbstractSqlDriver>(
      ormOptions(
        centralUrl,
        {
          ...centralModel(getEngine(centralUrl)),
          logger: logOrm,
          // Of its own name: MikroORM looks transactions up by it, and a shard's must never be found here.
          contextName: 'central',
        },
        { max: poolMax, acquireTimeoutMs: ACQUIRE_TIMEOUT_MS },
      ),
    );
  }

  get(): SqlEntityManager {
    const unitOfWork = currentContext().resource(UNIT_OF_WORK, () => this.#fork());
    return findInTransaction(unitOfWork) ?? unitOfWork;
  }

  #fork(): SqlEntityManager {
    return this.orm.em.fork({ disableContextResolution: true, useContext: false }) as SqlEntityManager;
  }
}
