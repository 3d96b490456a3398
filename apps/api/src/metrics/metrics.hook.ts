import type { FastifyInstance } from 'fastify';
import type { Metrics } from './metrics.js';

/** Counts every answered request, whichever part of the stack answered it. */
export function installMetricsHook(fastify: FastifyInstance, metrics: Metrics): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    metrics.count({
      method: request.method,
      route: request.routeOptions.url,
      status: reply.statusCode,
      seconds: reply.elapsedTime / 1000,
    });
    done();
  });
}
