import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Problem } from './problem.js';
import { problemCatalogue } from './problem-catalogue.js';
import { type KnownError, toKnownError } from './to-known-error.js';

/** What some errors carry beyond code and message. */
interface ProblemFacts {
  readonly errors?: Problem['errors'];
  readonly retryAfterSeconds?: number;
}

/** Where the documentation explains each code; relative, so that it holds behind any host. */
const TYPE_BASE = '/docs/problems#';

/** Answers every failure, of whatever origin, in the one shape of RFC 9457. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    answerProblem(thrown, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }
}

/** Sends `thrown` as a problem. Failures of ours are logged with their cause; those of the client are not. */
export function answerProblem(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
  const error = toKnownError(thrown);
  const problem = toProblem(error, request);
  if (problem.status >= 500) request.log.error({ err: error.cause ?? error }, error.message);
  if (reply.raw.headersSent || reply.raw.destroyed) return;
  const { retryAfterSeconds } = error as ProblemFacts;
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', String(retryAfterSeconds));
  if (problem.status === 401) void reply.header('www-authenticate', 'Bearer error="invalid_token"');
  void reply
    .code(problem.status)
    // Not yet there when routing itself failed, before any hook ran.
    .header('x-request-id', problem.requestId)
    .header('content-type', 'application/problem+json; charset=utf-8')
    .send(problem);
}

function toProblem(error: KnownError, request: FastifyRequest): Problem {
  const { status, title, code = error.code, detail = error.message } = problemCatalogue[error.code];
  const { errors } = error as ProblemFacts;
  return {
    type: `${TYPE_BASE}${code}`,
    title,
    status,
    // Of a failure of ours nothing but the fact is told: its message may name tables, files or hosts.
    detail: status === 500 ? 'Something went wrong on our side. Name the requestId when you report it.' : detail,
    instance: request.url.split('?', 1)[0] ?? '/',
    code,
    requestId: String(request.id),
    ...(errors && { errors }),
  };
}
