import type { Opt } from '@mikro-orm/core';
import { BeforeDelete, BeforeUpdate, Entity, Index, Property } from '@mikro-orm/decorators/legacy';
import { AppendOnly, LongTextType, TenantOwned } from '#libs/persistence';
import { AuditTrailReadonlyError } from '../errors/audit-trail-readonly.error.js';
import type { RecordedChanges } from '../recorded-changes.js';

/**
 * One recorded event: a change to one row, or something else that belongs on record. Lives beside the rows it tells of and
 * is written in their transaction. Append-only: a flush that would change or delete one fails and writes nothing, and
 * behind the guard so does every other statement.
 */
@AppendOnly('an entry that can be changed, or forged by a flush, proves nothing')
@Entity({ tableName: 'audit_entry' })
@Index({ properties: ['tenantId', 'entityName', 'entityId'] })
export class AuditEntry extends TenantOwned {
  /** UTC, clock of the process that wrote it. Always the time inside `id`, whose index thereby is the one by time. */
  @Property({ type: 'Date', length: 3 })
  readonly occurredAt!: Date;

  /** `create`, `update`, `delete`, or the name that `AuditTrail.record` was given. */
  @Property({ type: 'string', length: 60 })
  readonly action!: string;

  /** Concrete class of the row. */
  @Property({ type: 'string', length: 100, nullable: true })
  readonly entityName?: string | null;

  /** Its key within the tenant, as text. */
  @Property({ type: 'string', length: 200, nullable: true })
  readonly entityId?: string | null;

  /** JSON as text, not as a JSON type: those bytes are hashed later, and a JSON column gives other bytes back. */
  @Property({ type: LongTextType })
  readonly changes: string & Opt = '{}';

  @Property({ type: 'string', length: 100, nullable: true })
  readonly actorId?: string | null;

  /** Type of the actor; `anonymous` without one, `unknown` outside of any context. */
  @Property({ type: 'string', length: 20 })
  readonly actorType!: string;

  @Property({ type: 'string', length: 320, nullable: true })
  readonly actorEmail?: string | null;

  /** Whom an impersonator or a job acted for. */
  @Property({ type: 'string', length: 100, nullable: true })
  readonly onBehalfOf?: string | null;

  @Property({ type: 'string', length: 100, nullable: true })
  readonly requestId?: string | null;

  @Property({ type: 'string', length: 200, nullable: true })
  readonly route?: string | null;

  @Property({ type: 'string', length: 10, nullable: true })
  readonly method?: string | null;

  @Property({ type: 'string', length: 45, nullable: true })
  readonly ip?: string | null;

  @Property({ type: 'string', length: 300, nullable: true })
  readonly userAgent?: string | null;

  @Property({ type: 'string', length: 500, nullable: true })
  readonly reason?: string | null;

  /** What is personal about the actor, under a key of that person: see `PersonalValues`. */
  @Property({ type: LongTextType, nullable: true })
  readonly personal?: string | null;

  /** That the application wrote the entry, and nobody changed it until it was sealed; absent where nothing is sealed. */
  @Property({ type: 'string', length: 24, nullable: true, hidden: true })
  readonly stamp?: string | null;

  /** @throws {AuditTrailReadonlyError} always */
  @BeforeUpdate()
  @BeforeDelete()
  refuseChange(): never {
    throw new AuditTrailReadonlyError(this.id);
  }

  /** What changed. Parsed at each call. */
  getChanges(): RecordedChanges {
    return JSON.parse(this.changes) as RecordedChanges;
  }
}
