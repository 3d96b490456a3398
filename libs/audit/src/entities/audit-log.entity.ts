import type { Opt } from '@mikro-orm/core';
import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { LongTextType, TenantOwned } from '#libs/persistence';
import { NotAudited } from '../policy/audited.decorator.js';

/**
 * Where the sealed trail of a tenant ends: one row a tenant, whose id is the tenant's. Whoever seals holds its lock. It is
 * believed no further than its signature goes.
 */
@NotAudited('it is made of the entries, signed, and verified against them')
@Entity({ tableName: 'audit_log' })
export class AuditLog extends TenantOwned {
  /** `SignedCheckpoint` of the present end, as JSON. */
  @Property({ type: LongTextType })
  checkpoint: string;

  /** Right edge of the Merkle tree, as a JSON list of hashes. */
  @Property({ type: LongTextType })
  frontier: string & Opt = '[]';

  constructor(checkpoint: string) {
    super();
    this.checkpoint = checkpoint;
  }
}
