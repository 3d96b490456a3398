import type { Opt } from '@mikro-orm/core';
import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { TenantOwned } from '#libs/persistence';
import { Audited } from '../policy/audited.decorator.js';

/** What a legal hold covers. Everything that is given must match; nothing at all covers the whole trail. */
export interface HoldScope {
  /** Concrete class, as in `AuditEntry.entityName`. */
  readonly entity?: string | undefined;
  readonly entityId?: string | undefined;
  readonly actorId?: string | undefined;
}

/** Keeps entries from being purged while it is in force. Itself audited: who placed and who released it is on record. */
@Audited<AuditHold>()
@Entity({ tableName: 'audit_hold' })
export class AuditHold extends TenantOwned {
  /** Why: a case number, a letter. */
  @Property({ type: 'string', length: 500 })
  reason: string;

  @Property({ type: 'string', length: 100, nullable: true })
  entityName: (string & Opt) | null;

  @Property({ type: 'string', length: 200, nullable: true })
  entityId: (string & Opt) | null;

  @Property({ type: 'string', length: 100, nullable: true })
  actorId: (string & Opt) | null;

  @Property({ type: 'Date', length: 3 })
  createdAt: Date & Opt = new Date();

  /** Since when it is over. */
  @Property({ type: 'Date', length: 3, nullable: true })
  releasedAt: (Date & Opt) | null = null;

  constructor(reason: string, { entity, entityId, actorId }: HoldScope = {}) {
    super();
    this.reason = reason;
    this.entityName = entity ?? null;
    this.entityId = entityId ?? null;
    this.actorId = actorId ?? null;
  }
}
