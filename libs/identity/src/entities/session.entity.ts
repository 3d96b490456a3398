import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { newId } from '#libs/persistence';

/**
 * One log-in. Access tokens name it, so that ending it ends them; refresh tokens are derived from its `generation`, so
 * that the database holds nothing a thief could use.
 */
@Entity({ tableName: 'session' })
export class Session {
  @PrimaryKey({ type: 'uuid' })
  readonly id: string & Opt = newId();

  @Index()
  @Property({ type: 'uuid' })
  readonly userId: string;

  /** The tenant the session speaks for; `null` for an operator's. */
  @Index()
  @Property({ type: 'uuid', nullable: true })
  readonly tenantId: string | null;

  /** Number of the refresh token that is valid now. */
  @Property({ type: 'integer' })
  generation: number & Opt = 1;

  /** When the generation last grew: for a few seconds after, the former token gives the same successor. */
  @Property({ type: 'Date', length: 3 })
  rotatedAt: Date & Opt = new Date();

  @Property({ type: 'Date', length: 3 })
  expiresAt: Date;

  @Property({ type: 'Date', length: 3, nullable: true })
  revokedAt: (Date & Opt) | null = null;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  @Property({ type: 'string', length: 45, nullable: true })
  readonly ip: string | null;

  @Property({ type: 'string', length: 255, nullable: true })
  readonly userAgent: string | null;

  constructor(of: Pick<Session, 'userId' | 'tenantId' | 'expiresAt' | 'ip' | 'userAgent'>) {
    this.userId = of.userId;
    this.tenantId = of.tenantId;
    this.expiresAt = of.expiresAt;
    this.ip = of.ip;
    this.userAgent = of.userAgent;
  }
}
