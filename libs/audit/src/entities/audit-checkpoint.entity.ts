import { Entity, Property, Unique } from '@mikro-orm/decorators/legacy';
import { AppendOnly, LongTextType, TenantOwned } from '#libs/persistence';
import { NotAudited } from '../policy/audited.decorator.js';

/** The checkpoint at which a period of sealing ended. The present one is in `AuditLog`. */
@AppendOnly('whoever keeps a checkpoint must find it here unchanged')
@NotAudited('it is signed')
@Entity({ tableName: 'audit_checkpoint' })
@Unique({ properties: ['tenantId', 'size'] })
export class AuditCheckpoint extends TenantOwned {
  /** Entries up to it. */
  @Property({ type: 'bigint', runtimeType: 'number' })
  readonly size!: number;

  /** `SignedCheckpoint` as JSON. */
  @Property({ type: LongTextType })
  readonly checkpoint!: string;
}
