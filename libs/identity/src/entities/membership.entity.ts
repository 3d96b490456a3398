import { type Opt, PrimaryKeyProp } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import type { Role } from '../permissions.js';

/** That a user belongs to a tenant, and as what. The one source of truth about who may speak for which tenant. */
@Entity({ tableName: 'membership' })
export class Membership {
  [PrimaryKeyProp]?: ['userId', 'tenantId'];

  @PrimaryKey({ type: 'uuid' })
  readonly userId: string;

  @Index()
  @PrimaryKey({ type: 'uuid' })
  readonly tenantId: string;

  @Property({ type: 'string', length: 20 })
  role: Role;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  constructor(userId: string, tenantId: string, role: Role) {
    this.userId = userId;
    this.tenantId = tenantId;
    this.role = role;
  }
}
