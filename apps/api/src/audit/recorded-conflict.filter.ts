import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AuditTrail, RevertConflictError } from '#libs/audit';
import { answerProblem } from '../http/problem.filter.js';

/**
 * Puts on record that somebody was told what stands against an old version: the list speaks of what was. A filter, because
 * whatever the handler does goes with the transaction of an `Idempotency-Key`, which is rolled back by now.
 */
@Catch(RevertConflictError)
export class RecordedConflictFilter implements ExceptionFilter<RevertConflictError> {
  constructor(private readonly trail: AuditTrail) {}

  async catch(conflict: RevertConflictError, host: ArgumentsHost): Promise<void> {
    const http = host.switchToHttp();
    const [request, reply] = [
      http.getRequest<FastifyRequest<{ Params: { id: string } }>>(),
      http.getResponse<FastifyReply>(),
    ];
    const details = { conflictsOf: request.params.id, version: conflict.version };
    // A look that cannot be put on record is none.
    const failure = await this.trail.record({ action: 'audit_read', details }).catch((error: unknown) => error);
    answerProblem(failure ?? conflict, request, reply);
  }
}
