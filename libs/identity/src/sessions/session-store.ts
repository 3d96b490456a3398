import type { FilterQuery } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Inject, Injectable } from '@nestjs/common';
import { CentralEntityManager, type ChangeNotice, ChangeNotices } from '#libs/persistence';
import { Membership } from '../entities/membership.entity.js';
import { Session } from '../entities/session.entity.js';
import { User } from '../entities/user.entity.js';
import { InvalidTokenError } from '../errors/invalid-token.error.js';
import { IDENTITY_MODULE_OPTIONS, type IdentityModuleOptions } from '../identity.options.js';
import type { Principal } from './principal.js';
import { TokenSigner } from './token-signer.js';

/** What a log-in or a refresh hands out. */
export interface IssuedTokens {
  readonly accessToken: string;
  readonly refreshToken: string;
  /** Life of the access token, in seconds. */
  readonly expiresIn: number;
}

/** Where a session was opened from. */
export interface SessionOrigin {
  readonly ip?: string;
  readonly userAgent?: string;
}

/** Whose sessions: a person, for one tenant; `null` for an operator's. */
export interface SessionHolder {
  readonly userId: string;
  readonly tenantId: string | null;
}

/** Neither ended nor run out; the condition that makes a session one. */
export function stillOpen() {
  return { revokedAt: null, expiresAt: { $gt: new Date() } };
}

/** For how long a refresh token that was just replaced still gives its successor: two tabs may refresh at once. */
const ROTATION_GRACE_MS = 10_000;
const DAY_SECONDS = 86_400;

/** Whose kept principals a change makes wrong: those of one session, of a user, or of a tenant. */
export type ChangedSessions =
  | { readonly sessionId: string }
  | { readonly userId: string }
  | { readonly tenantId: string };

const TOPICS = { sessionId: 'session', userId: 'sessions-of-user', tenantId: 'sessions-of-tenant' } as const;

function noticeOf(changed: ChangedSessions): ChangeNotice {
  const [[name, key]] = Object.entries(changed) as [[keyof typeof TOPICS, string]];
  return { topic: TOPICS[name], key };
}

/** Opens, refreshes, ends and looks up sessions. Everything is asked of the central database; a principal is kept a little. */
@Injectable()
export class SessionStore {
  readonly #principals = new Map<string, { principal: Principal; staleAt: number }>();
  /** Grows with everything that makes a kept principal wrong. */
  #changes = 0;

  constructor(
    private readonly central: CentralEntityManager,
    private readonly tokens: TokenSigner,
    @Inject(IDENTITY_MODULE_OPTIONS) private readonly options: IdentityModuleOptions,
    private readonly notices: ChangeNotices,
  ) {
    notices.listen(TOPICS.sessionId, (id) => this.#drop(id));
    notices.listen(TOPICS.userId, (id) => this.#dropThose(({ userId }) => userId === id));
    notices.listen(TOPICS.tenantId, (id) => this.#dropThose(({ membership }) => membership?.tenantId === id));
  }

  /** Opens a session of `userId` for one tenant, or for none (operators). The caller has checked the membership. */
  async open(userId: string, tenantId: string | null, origin: SessionOrigin): Promise<IssuedTokens> {
    const em = this.central.get();
    const session = new Session({
      userId,
      tenantId,
      expiresAt: this.#expiry(),
      ip: origin.ip ?? null,
      userAgent: origin.userAgent?.slice(0, 255) ?? null,
    });
    await em.persist(session).flush();
    return this.#issue(session);
  }

  /**
   * Exchanges a refresh token for the next pair. The token replaced a moment ago gives the same successor again; an older
   * one was stolen or leaked, so the whole session ends.
   *
   * @param admit  the application's say about the principal, before anything changes; it refuses by throwing
   * @throws {InvalidTokenError}
   */
  async refresh(refreshToken: string, admit: (principal: Principal) => Promise<void>): Promise<IssuedTokens> {
    const { sessionId, generation } = this.tokens.verifyRefreshToken(refreshToken);
    const principal = await this.#readPrincipal(sessionId);
    if (!principal) throw new InvalidTokenError();
    await admit(principal);
    const em = this.central.get();
    const now = new Date();
    // One statement decides who rotates: of ten parallel refreshes one grows the generation, nine find it grown.
    const rotated = await em.nativeUpdate(
      Session,
      { id: sessionId, generation, revokedAt: null, expiresAt: { $gt: now } },
      { generation: generation + 1, rotatedAt: now, expiresAt: this.#expiry() },
    );
    const session = await em.findOne(Session, sessionId, { refresh: true });
    if (!session || session.revokedAt || session.expiresAt <= now) throw new InvalidTokenError();
    const justReplaced =
      session.generation === generation + 1 && now.getTime() - session.rotatedAt.getTime() <= ROTATION_GRACE_MS;
    if (rotated === 0 && !justReplaced) {
      await this.end(sessionId);
      throw new InvalidTokenError();
    }
    return this.#issue(session);
  }

  /** Ends a session. Its tokens are refused from the next request on. */
  async end(sessionId: string): Promise<void> {
    await this.#end({ id: sessionId, revokedAt: null });
  }

  /**
   * Ends one of a user's sessions for one tenant (`null`: an operator's).
   * @returns whether there was such a session: those of others, and of the same person for another tenant, are none
   */
  async endOwn(sessionId: string, { userId, tenantId }: SessionHolder): Promise<boolean> {
    return (await this.#end({ id: sessionId, userId, tenantId, ...stillOpen() })) === 1;
  }

  /**
   * Whom an access token speaks for.
   * @throws {InvalidTokenError} forged, expired, of an ended session, or of somebody who is no member any more
   */
  async getPrincipal(accessToken: string): Promise<Principal> {
    const { sid } = this.tokens.verifyAccessToken(accessToken);
    await this.notices.whenCurrent();
    const kept = this.#principals.get(sid);
    if (kept && kept.staleAt > Date.now()) return kept.principal;
    const changes = this.#changes;
    const principal = await this.#readPrincipal(sid);
    if (!principal) throw new InvalidTokenError();
    // What was read while something ended or changed may be of before: it serves this request and is not kept.
    if (changes === this.#changes) this.#keep(sid, principal);
    return principal;
  }

  /** Ends every session for a tenant, in the transaction that shuts it. Call `forget` once that has committed. */
  async endAll(tenantId: string, em = this.central.get()): Promise<void> {
    await em.nativeUpdate(Session, { tenantId, revokedAt: null }, { revokedAt: new Date() });
    await this.announce(em, { tenantId });
  }

  /** Tells other processes that what is kept of these sessions is wrong, in the transaction that makes it so. */
  announce(em: SqlEntityManager, changed: ChangedSessions): Promise<void> {
    return this.notices.post(em, noticeOf(changed));
  }

  /** Drops what is kept of these sessions. Call it after a membership or an account changed, once that has committed. */
  forget(changed: ChangedSessions): void {
    this.notices.send(noticeOf(changed));
  }

  async #end(where: { id: string } & FilterQuery<Session>): Promise<number> {
    const ended = await this.central.get().transactional(async (transaction) => {
      await this.announce(transaction, { sessionId: where.id });
      return transaction.nativeUpdate(Session, where, { revokedAt: new Date() });
    });
    this.forget({ sessionId: where.id });
    return ended;
  }

  #keep(sessionId: string, principal: Principal): void {
    const { cacheTtlMs = 30_000 } = this.options;
    if (this.#principals.size >= 100_000) this.#principals.clear();
    this.#principals.set(sessionId, { principal, staleAt: Date.now() + cacheTtlMs });
  }

  #drop(sessionId: string | undefined): void {
    this.#changes++;
    if (sessionId === undefined) this.#principals.clear();
    else this.#principals.delete(sessionId);
  }

  #dropThose(areMeant: (principal: Principal) => boolean): void {
    this.#changes++;
    for (const [sessionId, { principal }] of this.#principals) {
      if (areMeant(principal)) this.#principals.delete(sessionId);
    }
  }

  async #readPrincipal(sessionId: string): Promise<Principal | undefined> {
    const em = this.central.get().fork();
    const session = await em.findOne(Session, { id: sessionId, ...stillOpen() });
    const user = session && (await em.findOne(User, session.userId));
    if (!user) return undefined;
    const { tenantId } = session;
    const membership = tenantId ? await em.findOne(Membership, { userId: user.id, tenantId }) : undefined;
    if (membership === null || (!membership && !user.isOperator)) return undefined;
    return Object.freeze({
      kind: 'user',
      userId: user.id,
      email: user.email,
      name: user.name,
      isOperator: user.isOperator,
      sessionId,
      membership: membership && Object.freeze({ tenantId: membership.tenantId, role: membership.role }),
    });
  }

  #issue(session: Session): IssuedTokens {
    const claims = { sub: session.userId, sid: session.id, ...(session.tenantId && { tid: session.tenantId }) };
    return {
      accessToken: this.tokens.signAccessToken(claims),
      refreshToken: this.tokens.signRefreshToken({ sessionId: session.id, generation: session.generation }),
      expiresIn: this.tokens.accessTokenTtlSeconds,
    };
  }

  #expiry(): Date {
    return new Date(Date.now() + (this.options.sessionTtlSeconds ?? 30 * DAY_SECONDS) * 1000);
  }
}
