import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { AppendOnly, LongTextType, TenantOwned } from '#libs/persistence';
import { NotAudited } from '../policy/audited.decorator.js';

/** The signed record of one purge: it accounts for the entries that are not there any more. */
@AppendOnly('it is what tells a purge from a loss')
@NotAudited('it is signed, and its purge is an entry of its own')
@Entity({ tableName: 'audit_purge' })
export class AuditPurge extends TenantOwned {
  /** `SignedPurge` as JSON. */
  @Property({ type: LongTextType })
  readonly record!: string;
}
