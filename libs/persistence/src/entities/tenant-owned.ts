import { PrimaryKeyProp } from '@mikro-orm/core';
import { PrimaryKey } from '@mikro-orm/decorators/legacy';
import { v7 as uuidv7 } from 'uuid';

/**
 * Base of every entity that belongs to a tenant. Its key is `(tenant_id, id)`, and so is every foreign key to it: a row
 * of another tenant can be neither updated by a bare reference nor referred to, on any engine, even where a filter fails.
 */
export abstract class TenantOwned {
  [PrimaryKeyProp]?: ['tenantId', 'id'];

  /** Set by the guarded EntityManager from the context; never taken from input, never changed. */
  @PrimaryKey({ type: 'uuid' })
  readonly tenantId!: string;

  /** UUIDv7: grows with time, so that inserts stay at the end of the index. */
  @PrimaryKey({ type: 'uuid' })
  readonly id: string = uuidv7();
}
