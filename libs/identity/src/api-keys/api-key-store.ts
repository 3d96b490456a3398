import { Inject, Injectable } from '@nestjs/common';
import { CentralEntityManager, ChangeNotices } from '#libs/persistence';
import { ApiKey } from '../entities/api-key.entity.js';
import { InvalidTokenError } from '../errors/invalid-token.error.js';
import { IDENTITY_MODULE_OPTIONS, type IdentityModuleOptions } from '../identity.options.js';
import { isSameHash, issueToken, type PresentedToken, readToken } from '../opaque-token.js';
import type { ApiKeyPrincipal } from './api-key-principal.js';

const PREFIX = 'rhk';
const TOPIC = 'api-key';

/** What a new key is to be. */
export type NewApiKey = Pick<ApiKey, 'tenantId' | 'name' | 'permissions' | 'createdBy' | 'expiresAt'>;

/** A key's row and the key itself, which nobody can be shown again. */
export interface IssuedApiKey {
  readonly apiKey: ApiKey;
  readonly key: string;
}

/** A principal that is reused until `staleAt`, for whoever presents the same key again. */
interface KeptPrincipal {
  readonly hash: string;
  readonly principal: ApiKeyPrincipal;
  readonly staleAt: number;
}

/** Makes, removes and looks up API keys. Methods that write work on the transaction they are given. */
@Injectable()
export class ApiKeyStore {
  /** By key id, with the hash of the whole key: what is kept for one key never answers another. */
  readonly #kept = new Map<string, KeptPrincipal>();
  /** Grows with every removal: what was read meanwhile is not kept. */
  #removals = 0;

  constructor(
    private readonly central: CentralEntityManager,
    @Inject(IDENTITY_MODULE_OPTIONS) private readonly options: IdentityModuleOptions,
    private readonly notices: ChangeNotices,
  ) {
    notices.listen(TOPIC, (id) => this.#drop(id));
  }

  /** Makes a key. The caller flushes. */
  issue(of: NewApiKey, em = this.central.get()): IssuedApiKey {
    const { id, token, hash } = issueToken(PREFIX);
    const apiKey = new ApiKey({ ...of, id, tokenHash: hash });
    em.persist(apiKey);
    return { apiKey, key: token };
  }

  /**
   * Removes a key of a tenant. Call `forget` once that has committed.
   * @returns whether there was one: another tenant's is none
   */
  async remove(id: string, tenantId: string, em = this.central.get()): Promise<boolean> {
    await this.notices.post(em, { topic: TOPIC, key: id });
    return (await em.nativeDelete(ApiKey, { id, tenantId })) === 1;
  }

  /** Drops what is kept of a key, so that its next request is refused. */
  forget(id: string): void {
    this.notices.send({ topic: TOPIC, key: id });
  }

  /**
   * What a key speaks for.
   * @throws {InvalidTokenError} made up, removed or run out
   */
  async getPrincipal(key: string): Promise<ApiKeyPrincipal> {
    const presented = readToken(PREFIX, key);
    if (!presented) throw new InvalidTokenError();
    await this.notices.whenCurrent();
    const kept = this.#kept.get(presented.id);
    if (kept && kept.staleAt > Date.now() && isSameHash(kept.hash, presented.hash)) return kept.principal;
    return this.#read(presented);
  }

  async #read({ id, hash }: PresentedToken): Promise<ApiKeyPrincipal> {
    const removals = this.#removals;
    const row = await this.central.get().fork().findOne(ApiKey, { id });
    if (!row || !isSameHash(row.tokenHash, hash)) throw new InvalidTokenError();
    const endsAt = row.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
    if (endsAt <= Date.now()) throw new InvalidTokenError();
    const { name, tenantId, permissions } = row;
    const principal = Object.freeze<ApiKeyPrincipal>({
      kind: 'api_key',
      apiKeyId: id,
      name,
      tenantId,
      permissions: new Set(permissions),
    });
    if (removals === this.#removals) this.#keep({ hash, principal, staleAt: Math.min(this.#staleAt(), endsAt) });
    return principal;
  }

  #drop(id: string | undefined): void {
    this.#removals++;
    if (id === undefined) this.#kept.clear();
    else this.#kept.delete(id);
  }

  #keep(kept: KeptPrincipal): void {
    if (this.#kept.size >= 100_000) this.#kept.clear();
    this.#kept.set(kept.principal.apiKeyId, kept);
  }

  #staleAt(): number {
    return Date.now() + (this.options.cacheTtlMs ?? 30_000);
  }
}
