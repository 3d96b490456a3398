import type { Opt } from '@mikro-orm/core';
import { Entity, Index, Property, Unique } from '@mikro-orm/decorators/legacy';
import { NotAudited } from '#libs/audit';
import { LongTextType, newId, TenantOwned } from '#libs/persistence';

/**
 * One request with an `Idempotency-Key`: claimed while it runs, answered once it is done. Lives in the tenant's database,
 * so that the answer is stored by the very commit that stores the work.
 */
@NotAudited('bookkeeping of the HTTP edge; what the request changed is on record by itself')
@Entity({ tableName: 'idempotency_record' })
@Unique({ properties: ['tenantId', 'scope'] })
@Index({ properties: ['tenantId', 'createdAt'] })
export class IdempotencyRecord extends TenantOwned {
  /** Hash of principal, route and key: of one length, and compared byte by byte on every engine. */
  @Property({ type: 'string', length: 64 })
  readonly scope: string;

  /** Hash of URL and body: the same key with another one is a mistake of the client. */
  @Property({ type: 'string', length: 64 })
  fingerprint: string;

  /** Who runs the request now; whoever takes over a claim that was left behind writes another one. */
  @Property({ type: 'uuid' })
  claim: string & Opt = newId();

  @Property({ type: 'Date', length: 3 })
  claimedAt: Date & Opt = new Date();

  /** Of the answer; `null` while there is none. */
  @Property({ type: 'integer', nullable: true })
  status: (number & Opt) | null = null;

  /** JSON of those headers that belong to the answer. */
  @Property({ type: LongTextType, nullable: true })
  headers: (string & Opt) | null = null;

  /** JSON as it was sent; `null` for an empty body. */
  @Property({ type: LongTextType, nullable: true })
  body: (string & Opt) | null = null;

  @Property({ type: 'Date', length: 3 })
  createdAt: Date & Opt = new Date();

  constructor(scope: string, fingerprint: string) {
    super();
    this.scope = scope;
    this.fingerprint = fingerprint;
  }
}
