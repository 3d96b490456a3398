import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { StringListType } from '#libs/persistence';
import type { Permission } from '../permissions.js';

/**
 * A machine's way into one tenant. Belongs to the tenant, not to whoever made it: it stays when they leave. Lives in the
 * central database.
 */
@Entity({ tableName: 'api_key' })
export class ApiKey {
  @PrimaryKey({ type: 'uuid' })
  readonly id: string;

  @Index()
  @Property({ type: 'uuid' })
  readonly tenantId: string;

  /** What the tenant calls it. */
  @Property({ type: 'string', length: 100 })
  readonly name: string;

  @Property({ type: StringListType })
  readonly permissions: Permission[];

  /** SHA-256 of the key. The key itself was shown once, and is nowhere. */
  @Property({ type: 'string', length: 64, hidden: true })
  readonly tokenHash: string;

  /** User id. */
  @Property({ type: 'uuid' })
  readonly createdBy: string;

  @Property({ type: 'Date', length: 3, nullable: true })
  readonly expiresAt: Date | null;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  constructor(of: Pick<ApiKey, 'id' | 'tenantId' | 'name' | 'permissions' | 'tokenHash' | 'createdBy' | 'expiresAt'>) {
    this.id = of.id;
    this.tenantId = of.tenantId;
    this.name = of.name;
    this.permissions = of.permissions;
    this.tokenHash = of.tokenHash;
    this.createdBy = of.createdBy;
    this.expiresAt = of.expiresAt;
  }
}
