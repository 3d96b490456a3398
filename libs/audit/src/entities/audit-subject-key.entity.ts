import { Entity, Index, Property } from '@mikro-orm/decorators/legacy';
import { AppendOnly, TenantOwned } from '#libs/persistence';
import { NotAudited } from '../policy/audited.decorator.js';

/**
 * A key under which the trail keeps what is personal about one person. A person may have several: each process makes its
 * own, so that no two transactions wait for each other. With the keys the values are gone, wherever they lie.
 */
@AppendOnly('a value whose key was changed is lost')
@NotAudited('an entry about a key would outlive the key')
@Entity({ tableName: 'audit_subject_key' })
@Index({ properties: ['tenantId', 'subject'] })
export class AuditSubjectKey extends TenantOwned {
  /** Id of the person, or of the row that is about one. */
  @Property({ type: 'string', length: 200 })
  readonly subject!: string;

  /** 256 bits, base64url. */
  @Property({ type: 'string', length: 43, hidden: true })
  readonly secret!: string;
}
