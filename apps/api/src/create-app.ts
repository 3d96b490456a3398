import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { type FastifyReply, type FastifyRequest, LogController } from 'fastify';
import pino, { type Logger } from 'pino';
import { splitTenantPath } from '#libs/tenancy';
import { AppModule } from './app.module.js';
import type { AppConfig } from './config/app.config.js';
import { prepareDataDir } from './config/data-dir.js';
import { chooseRequestId, installAccessLog, installContextHook } from './http/context.hook.js';
import { installMediaTypes } from './http/media-types.js';
import { installOpenApi } from './http/open-api.js';
import { answerProblem } from './http/problem.filter.js';
import { installStatementLog } from './http/statement-log.js';
import { installMetricsHook } from './metrics/metrics.hook.js';
import { Metrics } from './metrics/metrics.js';
import { NestLogger } from './nest-logger.js';

const BODY_LIMIT_BYTES = 1_048_576;

function createAdapter(logger: Logger, { trustedProxies }: AppConfig): FastifyAdapter {
  const adapter = new FastifyAdapter({
    loggerInstance: logger,
    // One line per request, of ours (`installAccessLog`), instead of two of Fastify's.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'requestId' }),
    bodyLimit: BODY_LIMIT_BYTES,
    // Their X-Forwarded-* says who asked for which host; everybody else's is hearsay.
    ...(trustedProxies.length > 0 && { trustProxy: [...trustedProxies] }),
    rewriteUrl: ({ url = '/' }: IncomingMessage) => splitTenantPath(url)?.rest ?? url,
    // No middleware of ours or Nest's: hooks are cheaper and run before everything else.
    skipMiddie: true,
    frameworkErrors: (error: unknown, request: FastifyRequest, reply: FastifyReply) =>
      answerProblem(error, request, reply),
    genReqId: ({ headers }: IncomingMessage) => chooseRequestId(headers['x-request-id'], randomUUID),
  });
  // Nest would wrap Fastify's errors and drop their codes; the problem filter wants them as they are.
  adapter.mapException = (error: unknown) => error;
  return adapter;
}

/**
 * Builds the application without listening: for `main`, and for tests, which inject requests.
 * @throws {ConfigError} when the data folder cannot be used
 */
export async function createApp(config: AppConfig): Promise<NestFastifyApplication> {
  prepareDataDir(config);
  const logger = pino({
    level: config.logLevel,
    base: undefined,
    redact: ['req.headers.authorization', 'req.headers["x-api-key"]'],
  });
  const adapter = createAdapter(logger, config);
  const app = await NestFactory.create<NestFastifyApplication>(AppModule.forConfig(config), adapter, {
    logger: new NestLogger(logger),
    bodyParser: false,
    abortOnError: false,
  });
  const fastify = adapter.getInstance();
  installContextHook(fastify);
  installAccessLog(fastify);
  installStatementLog(fastify, config);
  if (config.hasMetrics) installMetricsHook(fastify, app.get(Metrics));
  installMediaTypes(fastify);
  app.useSecurityHeaders();
  if (!config.production) installOpenApi(app);
  await app.init();
  await fastify.ready();
  return app;
}
