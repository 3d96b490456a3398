import { type Opt, PrimaryKeyProp } from '@mikro-orm/core';
import { PrimaryKey } from '@mikro-orm/decorators/legacy';
import { findContext } from '#libs/context';
import { newId } from './new-id.js';

/**
 * Base of every entity that belongs to a tenant. Its key is `(tenant_id, id)`, and so is every foreign key to it: a row
 * of another tenant can be neither updated by a bare reference nor referred to, on any engine, even where a filter fails.
 */
export abstract class TenantOwned {
  [PrimaryKeyProp]?: ['tenantId', 'id'];

  /**
   * The tenant in whose context the entity was made; never taken from input, never changed. An entity made outside of any
   * tenant's context has none, and the flush refuses it.
   */
  @PrimaryKey({ type: 'uuid' })
  readonly tenantId: string & Opt = findContext()?.tenant?.id as string;

  /** UUIDv7: grows with time, so that inserts stay at the end of the index. */
  @PrimaryKey({ type: 'uuid' })
  readonly id: string & Opt = newId();
}
