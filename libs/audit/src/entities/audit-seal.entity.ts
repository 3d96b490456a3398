import { Entity, Property, Unique } from '@mikro-orm/decorators/legacy';
import { AppendOnly, TenantOwned } from '#libs/persistence';
import { NotAudited } from '../policy/audited.decorator.js';

/**
 * The place of one entry in its tenant's sealed trail. Its id is the entry's, and stays when the entry is purged: so no
 * entry is sealed twice, and what a purge leaves behind can still be verified.
 */
@AppendOnly('a seal that can be changed proves nothing')
@NotAudited('it is made of an entry, and verified against it')
@Entity({ tableName: 'audit_seal' })
@Unique({ properties: ['tenantId', 'position'] })
export class AuditSeal extends TenantOwned {
  /** From 1, without gaps. */
  @Property({ type: 'bigint', runtimeType: 'number' })
  readonly position!: number;

  /** `leafOf` the entry at this position, base64url. */
  @Property({ type: 'string', length: 43 })
  readonly leaf!: string;
}
