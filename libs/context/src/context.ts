import { randomUUID } from 'node:crypto';
import { NoTenantInContextError } from './errors/no-tenant-in-context.error.js';
import { TenantImmutableError } from './errors/tenant-immutable.error.js';

/**
 * The customer a piece of work is done for, as far as a context needs to know it. Whoever looked the tenant up hands in
 * the whole record: what more it holds (its placement) is for those who know.
 */
export interface ContextTenant {
  /** Immutable primary key of the tenant (UUID). */
  readonly id: string;
  /** What people and URLs call it. */
  readonly slug: string;
}

/** Who does a piece of work. */
export interface Actor {
  /** Id within its `type`: a user id, an API key id, a job name. */
  readonly id: string;
  readonly type: 'user' | 'api_key' | 'operator' | 'job' | 'system';
  readonly email?: string;
  /** The user whom an impersonator or a job acts for. */
  readonly onBehalfOf?: string;
}

/** What is known when a context opens. Everything is optional: a tenant and an actor may be bound later, once. */
export interface ContextSeed {
  /** Names the piece of work in logs, errors and audit entries. Default: a random UUID. */
  readonly requestId?: string;
  readonly tenant?: ContextTenant;
  readonly actor?: Actor;
  /** Why the work is done, in the actor's words. */
  readonly reason?: string;
  /** Where the work came in: a route pattern, a job name, a command. */
  readonly route?: string;
  readonly method?: string;
  readonly ip?: string;
  readonly userAgent?: string;
}

/**
 * What one piece of work (a request, a job, a command) carries through every `await`, timer and stream it starts.
 * The tenant is written once: whoever can change it later can read another tenant's rows.
 */
export class Context {
  readonly requestId: string;
  /** The route pattern, filled in by the edge once routing has happened. */
  route: string | undefined;
  readonly method: string | undefined;
  readonly ip: string | undefined;
  readonly userAgent: string | undefined;
  readonly reason: string | undefined;
  #tenant: ContextTenant | undefined;
  #actor: Actor | undefined;
  #openTransactions = 0;
  readonly #resources = new Map<symbol, unknown>();
  readonly #endings: (() => void)[] = [];

  constructor(seed: ContextSeed = {}) {
    this.requestId = seed.requestId ?? randomUUID();
    this.#tenant = seed.tenant;
    this.#actor = seed.actor;
    this.reason = seed.reason;
    this.route = seed.route;
    this.method = seed.method;
    this.ip = seed.ip;
    this.userAgent = seed.userAgent;
  }

  /** The tenant, or `undefined` while none is bound (sign-up, log-in, central work). */
  get tenant(): ContextTenant | undefined {
    return this.#tenant;
  }

  /** Who does the work; `undefined` means anonymous. */
  get actor(): Actor | undefined {
    return this.#actor;
  }

  /** Whether a transaction of this context is open. The tenant cannot be bound while one is. */
  get inTransaction(): boolean {
    return this.#openTransactions > 0;
  }

  /**
   * The tenant this work is for.
   * @throws {NoTenantInContextError} when none is bound
   */
  getTenant(): ContextTenant {
    if (this.#tenant === undefined) throw new NoTenantInContextError();
    return this.#tenant;
  }

  /**
   * Binds the tenant, once.
   * @throws {TenantImmutableError} when one is bound already, even the same, or a transaction is open
   */
  bindTenant(tenant: ContextTenant): void {
    if (this.#tenant) throw new TenantImmutableError(this.#tenant.id, 'already set');
    if (this.inTransaction) throw new TenantImmutableError(undefined, 'a transaction is open');
    this.#tenant = tenant;
  }

  /** Binds the actor. An actor may be refined (anonymous → user) but is never taken from request input. */
  bindActor(actor: Actor): void {
    this.#actor = Object.freeze({ ...actor });
  }

  /** Called by the persistence layer when a transaction of this context begins; the result ends it and may be called twice. */
  enterTransaction(): () => void {
    this.#openTransactions++;
    let open = true;
    return () => {
      if (open) this.#openTransactions--;
      open = false;
    };
  }

  /**
   * A thing that lives as long as this context, such as its EntityManager: made at first use, the same afterwards.
   * `create` may register its release with `onEnd`.
   */
  resource<T>(token: symbol, create: (context: Context) => T): T {
    if (!this.#resources.has(token)) this.#resources.set(token, create(this));
    return this.#resources.get(token) as T;
  }

  /** Like `resource`, without making it. */
  findResource<T>(token: symbol): T | undefined {
    return this.#resources.get(token) as T | undefined;
  }

  /** Runs `ending` when the context ends: last registered, first run. It must not throw. */
  onEnd(ending: () => void): void {
    this.#endings.push(ending);
  }

  /** Releases everything the context holds. Called by whoever opened it; a second call does nothing. */
  end(): void {
    for (const ending of this.#endings.splice(0).reverse()) ending();
    this.#resources.clear();
  }
}
