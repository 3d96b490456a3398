import { UniqueConstraintViolationException } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import { CurrentEntityManager, newId } from '#libs/persistence';
import { IdempotencyConflictError } from '../errors/idempotency-conflict.error.js';
import { RequestInFlightError } from '../errors/request-in-flight.error.js';
import { IdempotencyRecord } from './idempotency-record.entity.js';

/** How long an answer is given again. */
const LIFE_MS = 24 * 3_600_000;
/** How long a request may run before another one with its key takes its place. Its own commit then fails. */
const LEASE_MS = 60_000;
const PURGE_EVERY_MS = 3_600_000;
/** Beyond it, what is forgotten ends with its lease. */
const MAX_UNRELEASED = 10_000;

/** A request by its key, and what it asks for. Both are hashes. */
export interface KeyedRequest {
  readonly scope: string;
  readonly fingerprint: string;
}

/** The right to run a request; nobody else has it at the same time. */
export interface Claim {
  readonly scope: string;
  readonly claim: string;
}

/** An answer as it was given the first time. */
export interface StoredAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** JSON; `null` for an empty body. */
  readonly body: string | null;
}

/** Keeps the answers of requests with a key, in the database of the context's tenant. */
@Injectable()
export class IdempotencyStore {
  readonly #purgedAt = new Map<string, number>();
  /** Claims of requests that failed, and could not be given back: a full disk refuses a deletion, too. */
  readonly #unreleased = new Set<string>();

  constructor(private readonly entityManager: CurrentEntityManager) {}

  /**
   * The right to run `request`, or the answer it has had. The claim is committed at once, so that other processes see it.
   *
   * @throws {IdempotencyConflictError} @throws {RequestInFlightError}
   */
  async claim(request: KeyedRequest): Promise<Claim | StoredAnswer> {
    // A fork: nothing of this is to wait in the unit of work of the request.
    const em = this.entityManager.get().fork();
    await this.#purge(em);
    const found = (await this.#find(em, request)) ?? (await this.#insert(em, request));
    return found instanceof IdempotencyRecord ? this.#judge(em, found, request) : found;
  }

  /**
   * Stores the answer. Called in the transaction of the work: either both are there afterwards, or neither.
   * @throws {RequestInFlightError} when the claim was taken over; the work must be rolled back
   */
  async complete(em: SqlEntityManager, claim: Claim, answer: StoredAnswer): Promise<void> {
    const { status, headers, body } = answer;
    const stored = await em.nativeUpdate(
      IdempotencyRecord,
      { ...claim, status: null },
      { status, headers: JSON.stringify(headers), body },
    );
    if (stored === 0) throw new RequestInFlightError();
  }

  /** Gives a claim back after a failure: the next request with the key runs again. */
  async release(claim: Claim): Promise<void> {
    const em = this.entityManager.get().fork();
    try {
      await em.nativeDelete(IdempotencyRecord, { ...claim, status: null });
    } catch (error) {
      if (this.#unreleased.size >= MAX_UNRELEASED) this.#unreleased.clear();
      this.#unreleased.add(claim.claim);
      throw error;
    }
  }

  #find(em: SqlEntityManager, { scope }: KeyedRequest): Promise<IdempotencyRecord | null> {
    return em.findOne(IdempotencyRecord, { scope }, { disableIdentityMap: true });
  }

  /** The new claim; or the record of another request, which was faster. */
  async #insert(em: SqlEntityManager, request: KeyedRequest): Promise<Claim | IdempotencyRecord> {
    const { scope, fingerprint } = request;
    const record = new IdempotencyRecord(scope, fingerprint);
    try {
      await em.fork().persist(record).flush();
      return { scope, claim: record.claim };
    } catch (error) {
      if (!(error instanceof UniqueConstraintViolationException)) throw error;
      const faster = await this.#find(em, request);
      // It was there a moment ago and has failed since: as good as one that still runs.
      if (!faster) throw new RequestInFlightError();
      return faster;
    }
  }

  async #judge(em: SqlEntityManager, record: IdempotencyRecord, request: KeyedRequest): Promise<Claim | StoredAnswer> {
    const { status, headers, body, claimedAt, createdAt } = record;
    const now = Date.now();
    if (createdAt.getTime() <= now - LIFE_MS) return this.#takeOver(em, record, request);
    if (record.fingerprint !== request.fingerprint) throw new IdempotencyConflictError();
    if (status !== null) return { status, headers: JSON.parse(headers ?? '{}'), body };
    const isGivenBack = this.#unreleased.has(record.claim);
    if (!isGivenBack && claimedAt.getTime() > now - LEASE_MS) throw new RequestInFlightError();
    return this.#takeOver(em, record, request);
  }

  /** Of two who take over at once, and of one who does while the first one commits after all, one passes. */
  async #takeOver(
    em: SqlEntityManager,
    { scope, claim: former, status }: IdempotencyRecord,
    { fingerprint }: KeyedRequest,
  ): Promise<Claim> {
    const claim = newId();
    const at = new Date();
    const renewed = { claim, fingerprint, claimedAt: at, createdAt: at, status: null, headers: null, body: null };
    const taken = await em.nativeUpdate(IdempotencyRecord, { scope, claim: former, status }, renewed);
    if (taken === 0) throw new RequestInFlightError();
    this.#unreleased.delete(former);
    return { scope, claim };
  }

  /** Deletes what nobody is given any more, once an hour for each tenant that sends keys. */
  async #purge(em: SqlEntityManager): Promise<void> {
    const { id } = currentContext().getTenant();
    const now = Date.now();
    if ((this.#purgedAt.get(id) ?? 0) > now - PURGE_EVERY_MS) return;
    if (this.#purgedAt.size >= 10_000) this.#purgedAt.clear();
    this.#purgedAt.set(id, now);
    await em.nativeDelete(IdempotencyRecord, { createdAt: { $lt: new Date(now - LIFE_MS) } });
  }
}
