import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { type CallHandler, type ExecutionContext, Injectable, Logger, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { lastValueFrom, type Observable, of } from 'rxjs';
import { type Actor, type Context, currentContext } from '#libs/context';
import { CurrentEntityManager } from '#libs/persistence';
import { InvalidInputError } from '../errors/invalid-input.error.js';
import { type Claim, IdempotencyStore, type StoredAnswer } from './idempotency-store.js';
import { SHOWN_ONCE } from './shown-once.decorator.js';

/** Printable, and short enough for what anybody makes keys of. */
const KEY = /^[\x21-\x7e]{1,255}$/;
/** Headers that belong to the answer of a handler, rather than to the connection or the moment. */
const KEPT_HEADERS = ['location', 'etag'] as const;

function sha256(...parts: string[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${part.length}:${part}`);
  return hash.digest('hex');
}

/**
 * Runs a POST with an `Idempotency-Key` once, and answers its repetitions from the tenant's database. The handler's work
 * and its answer are one transaction, which services flush into without knowing. When another transaction is in its way,
 * it is rolled back and the handler runs again, as with every transaction.
 *
 * Nothing is stored of a failure: the transaction is rolled back, and the next request with the key runs again.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  readonly #logger = new Logger(IdempotencyInterceptor.name);

  constructor(
    private readonly store: IdempotencyStore,
    private readonly entityManager: CurrentEntityManager,
    private readonly reflector: Reflector,
  ) {}

  async intercept(execution: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    const key = request.headers['idempotency-key'];
    if (key === undefined || request.method !== 'POST') return next.handle();
    const context = currentContext();
    const { actor } = context;
    // Work for no tenant has no place to keep an answer in; a stream cannot be compared, and imports repeat harmlessly.
    if (!context.tenant || !actor || request.body instanceof Readable) return next.handle();
    if (typeof key !== 'string' || !KEY.test(key)) {
      throw new InvalidInputError([{ parameter: 'Idempotency-Key', detail: 'Give 1 to 255 printable characters.' }]);
    }
    const claimed = await this.store.claim(identify(request, context, actor, key));
    const reply = execution.switchToHttp().getResponse<FastifyReply>();
    if ('status' in claimed) return of(replay(claimed, reply));
    const secrets = this.reflector.get<readonly string[] | undefined>(SHOWN_ONCE, execution.getHandler()) ?? [];
    return of(
      await this.#runOnce(claimed, async (em) => {
        const result: unknown = await lastValueFrom(next.handle(), { defaultValue: undefined });
        await this.store.complete(em, claimed, toAnswer(result, reply, secrets));
        return result;
      }),
    );
  }

  async #runOnce<T>(claim: Claim, work: (em: SqlEntityManager) => Promise<T>): Promise<T> {
    try {
      return await this.entityManager.transactional(work);
    } catch (error) {
      await this.#release(claim);
      throw error;
    }
  }

  /** Never throws: what went wrong first is what the client is to know. A claim that stays ends with its lease. */
  async #release(claim: Claim): Promise<void> {
    try {
      await this.store.release(claim);
    } catch (error) {
      this.#logger.error(error);
    }
  }
}

function identify(request: FastifyRequest, context: Context, actor: Actor, key: string) {
  return {
    scope: sha256(actor.type, actor.id, String(context.route), key),
    fingerprint: sha256(request.url, JSON.stringify(request.body ?? null)),
  };
}

function toAnswer(result: unknown, reply: FastifyReply, secrets: readonly string[]): StoredAnswer {
  const headers: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = reply.getHeader(name);
    if (value !== undefined) headers[name] = String(value);
  }
  const blanked = Object.fromEntries(secrets.map((name) => [name, null]));
  const kept = secrets.length > 0 ? { ...(result as object), ...blanked } : result;
  return { status: reply.statusCode, headers, body: kept === undefined ? null : JSON.stringify(kept) };
}

function replay({ status, headers, body }: StoredAnswer, reply: FastifyReply): unknown {
  void reply.code(status).headers(headers).header('idempotency-replayed', 'true');
  return body === null ? undefined : JSON.parse(body);
}
