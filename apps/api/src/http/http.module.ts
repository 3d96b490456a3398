import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_INTERCEPTOR, APP_PIPE } from '@nestjs/core';
import { AppConfig } from '../config/app.config.js';
import { getJwtSecret } from '../config/data-dir.js';
import { AccessGuard } from './access.guard.js';
import { CursorCodec } from './cursor-codec.js';
import { IdempotencyInterceptor } from './idempotency/idempotency.interceptor.js';
import { IdempotencyStore } from './idempotency/idempotency-store.js';
import { Pager } from './pager.js';
import { ProblemFilter } from './problem.filter.js';
import { ProblemsController } from './problems.controller.js';
import { ReasonGuard } from './reason/reason.guard.js';
import { SchemaValidationPipe } from './schema-validation.pipe.js';

/** What every route has, wherever it is declared: access control, checked input, keyed requests that run once, one shape of
 * failure. */
@Global()
@Module({
  controllers: [ProblemsController],
  providers: [
    { provide: APP_GUARD, useClass: AccessGuard },
    { provide: APP_GUARD, useClass: ReasonGuard },
    { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
    IdempotencyStore,
    { provide: APP_PIPE, useClass: SchemaValidationPipe },
    { provide: APP_FILTER, useClass: ProblemFilter },
    Pager,
    {
      provide: CursorCodec,
      inject: [AppConfig],
      useFactory: (config: AppConfig) => new CursorCodec(getJwtSecret(config)),
    },
  ],
  exports: [CursorCodec, Pager],
})
export class HttpModule {}
