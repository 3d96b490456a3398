import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { type SentStatement, watchStatements } from '#libs/persistence';
import type { AppConfig } from '../config/app.config.js';

/** Asks for the statements of one request, while developing. */
const HEADER = 'x-log-sql';

/**
 * Logs SQL statements: all of them with `LOG_SQL`, and outside production those of a request that asks for it. Each with
 * its duration, rows, database, tenant and the place in the code it comes from; values are withheld.
 */
export function installStatementLog(fastify: FastifyInstance, config: AppConfig): void {
  if (config.logSql) {
    const stop = watchStatements((statement) => logStatement(fastify.log, statement));
    fastify.addHook('onClose', async () => stop());
  } else if (!config.production) logOnDemand(fastify);
}

function logOnDemand(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    if (request.headers[HEADER] === 'true') {
      const stop = watchStatements((statement) => {
        if (statement.requestId === String(request.id)) logStatement(request.log, statement);
      });
      reply.raw.once('close', stop);
    }
    done();
  });
}

function logStatement(log: FastifyBaseLogger, { sql, ...facts }: SentStatement): void {
  log.info(facts, sql);
}
