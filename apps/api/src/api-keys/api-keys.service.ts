import { Injectable } from '@nestjs/common';
import { AuditTrail } from '#libs/audit';
import { currentContext } from '#libs/context';
import {
  ApiKey,
  ApiKeyStore,
  type IssuedApiKey,
  keyPermissionsOf,
  PermissionDeniedError,
  type Principal,
} from '#libs/identity';
import { CentralEntityManager } from '#libs/persistence';
import { NotFoundError } from '../http/errors/not-found.error.js';
import type { PageQuery } from '../http/page.schemas.js';
import { type Page, Pager } from '../http/pager.js';
import type { NewApiKeyRequest } from './api-keys.schemas.js';

/** The API keys of the current tenant. Every change is on record in the tenant's trail, or does not happen. */
@Injectable()
export class ApiKeysService {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly keys: ApiKeyStore,
    private readonly trail: AuditTrail,
    private readonly pager: Pager,
  ) {}

  /** Newest first; those that have run out too, until somebody removes them. */
  list(query: PageQuery): Promise<Page<ApiKey>> {
    const { id: tenantId } = currentContext().getTenant();
    const keys = [{ path: 'id', direction: 'desc' as const }];
    return this.pager.read({ entity: ApiKey, where: { tenantId }, keys, scope: `api keys ${tenantId}` }, query);
  }

  /** @throws {PermissionDeniedError} for a permission that whoever asks has not got */
  async issue({ name, permissions, expiresAt }: NewApiKeyRequest, by: Principal): Promise<IssuedApiKey> {
    const own = by.membership ? keyPermissionsOf(by.membership.role) : [];
    const missing = permissions.find((permission) => !own.includes(permission));
    if (missing) throw new PermissionDeniedError(missing);
    const { id: tenantId } = currentContext().getTenant();
    const of = { tenantId, name, permissions, createdBy: by.userId, expiresAt: expiresAt ?? null };
    return this.central.get().transactional(async (transaction) => {
      const issued = this.keys.issue(of, transaction);
      await transaction.flush();
      await this.#record('api_key_created', issued.apiKey.id, { name, permissions });
      return issued;
    });
  }

  /** Removes a key; it is refused from its next request on. @throws {NotFoundError} also for another tenant's */
  async remove(id: string): Promise<void> {
    const { id: tenantId } = currentContext().getTenant();
    await this.central.get().transactional(async (transaction) => {
      if (!(await this.keys.remove(id, tenantId, transaction))) throw new NotFoundError();
      await this.#record('api_key_removed', id, {});
    });
    this.keys.forget(id);
  }

  #record(action: string, id: string, details: Record<string, unknown>): Promise<void> {
    return this.trail.record({ action, entity: 'ApiKey', entityId: id, details });
  }
}
