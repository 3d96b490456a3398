import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/**
 * A key that was destroyed, in the central database: so a tenant's database that comes back from a backup is erased again.
 * Says whose key it was to nobody; the id is a random one.
 */
@Entity({ tableName: 'erased_subject_key' })
@Index({ properties: ['tenantId'] })
export class ErasedSubjectKey {
  @PrimaryKey({ type: 'uuid' })
  readonly id: string;

  @Property({ type: 'uuid' })
  readonly tenantId: string;

  @Property({ type: 'Date', length: 3 })
  readonly erasedAt: Date & Opt = new Date();

  constructor(tenantId: string, keyId: string) {
    this.tenantId = tenantId;
    this.id = keyId;
  }
}
