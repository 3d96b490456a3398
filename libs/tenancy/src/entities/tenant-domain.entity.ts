import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** A domain of a tenant's own. It names the tenant once it is verified. Lives in the central database. */
@Entity({ tableName: 'tenant_domain' })
export class TenantDomain {
  /** In small letters, without a final dot. */
  @PrimaryKey({ type: 'string', length: 253 })
  readonly domain: string;

  @Index()
  @Property({ type: 'uuid' })
  readonly tenantId: string;

  /** What the domain's DNS must say for it to be theirs. No secret: whoever reads it could not put it there. */
  @Property({ type: 'string', length: 64 })
  readonly challenge: string;

  @Property({ type: 'Date', length: 3, nullable: true })
  verifiedAt: (Date & Opt) | null = null;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  constructor(domain: string, tenantId: string, challenge: string) {
    this.domain = domain;
    this.tenantId = tenantId;
    this.challenge = challenge;
  }
}
