import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Context, enterContext, findContext } from '#libs/context';
import { readReason } from './reason/read-reason.js';

/** What we are willing to repeat in logs and audit entries of a client's own request id. */
const REQUEST_ID = /^[\w.:-]{1,64}$/;

/** The id a request is known by: the client's `X-Request-Id` when it has a harmless form. */
export function chooseRequestId(given: string | string[] | undefined, make: () => string): string {
  return typeof given === 'string' && REQUEST_ID.test(given) ? given : make();
}

function openContext(request: FastifyRequest): Context {
  return new Context({
    requestId: String(request.id),
    route: request.routeOptions.url ?? 'unknown',
    method: request.method,
    ip: request.ip,
    userAgent: request.headers['user-agent'],
    reason: readReason(request.headers['x-audit-reason']),
  });
}

/**
 * Opens the context of every request before anything else looks at it, and ends it when the connection is done with the
 * answer, sent or cut off. A Fastify hook rather than a Nest middleware: about 0.3 µs a request instead of 3.
 */
export function installContextHook(fastify: FastifyInstance): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    const context = openContext(request);
    reply.raw.once('close', () => context.end());
    reply.header('x-request-id', context.requestId);
    enterContext(context, done);
  });
}

/** Logs one line per answered request: what, how it ended, how long it took, and for whom. */
export function installAccessLog(fastify: FastifyInstance): void {
  fastify.addHook('onResponse', (request, reply, done) => {
    const context = findContext();
    request.log.info(
      {
        tenant: context?.tenant?.slug,
        actor: context?.actor?.id,
        method: request.method,
        route: request.routeOptions.url,
        status: reply.statusCode,
        ms: Math.round(reply.elapsedTime * 10) / 10,
      },
      'request',
    );
    done();
  });
}
