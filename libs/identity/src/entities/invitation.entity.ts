import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { Role } from '../permissions.js';

/** That somebody may become a member of a tenant, until `expiresAt` and once. Lives in the central database. */
@Entity({ tableName: 'invitation' })
export class Invitation {
  @PrimaryKey({ type: 'uuid' })
  readonly id: string;

  @Index()
  @Property({ type: 'uuid' })
  readonly tenantId: string;

  /** In small letters. The account that is made, or joins, is this one's. */
  @Property({ type: 'string', length: 254 })
  readonly email: string;

  @Property({ type: 'string', length: 20 })
  readonly role: Role;

  /** SHA-256 of the token. The token itself was shown to whoever invited, and is nowhere. */
  @Property({ type: 'string', length: 64, hidden: true })
  readonly tokenHash: string;

  /** User id. */
  @Property({ type: 'uuid' })
  readonly invitedBy: string;

  @Property({ type: 'Date', length: 3 })
  readonly expiresAt: Date;

  @Property({ type: 'Date', length: 3, nullable: true })
  acceptedAt: (Date & Opt) | null = null;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  constructor(of: Pick<Invitation, 'id' | 'tenantId' | 'email' | 'role' | 'tokenHash' | 'invitedBy' | 'expiresAt'>) {
    this.id = of.id;
    this.tenantId = of.tenantId;
    this.email = of.email.trim().toLowerCase();
    this.role = of.role;
    this.tokenHash = of.tokenHash;
    this.invitedBy = of.invitedBy;
    this.expiresAt = of.expiresAt;
  }
}
