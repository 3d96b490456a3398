import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { newId } from '#libs/persistence';
import { assertSlug } from '../slug.js';

/** Whether a tenant is served: only while it is active. Archived is for good as far as its people are concerned; its data and slug stay. */
export type TenantStatus = 'active' | 'suspended' | 'archived';

/** A customer whose data is kept apart. Lives in the central database. */
@Entity({ tableName: 'tenant' })
export class Tenant {
  @PrimaryKey({ type: 'uuid' })
  readonly id: string & Opt = newId();

  /** What people and URLs call the tenant. Unique, immutable. */
  @Unique()
  @Property({ type: 'string', length: 40 })
  readonly slug: string;

  @Property({ type: 'string', length: 200 })
  name: string;

  @Property({ type: 'string', length: 20 })
  status: TenantStatus & Opt = 'active';

  /** UTC, clock of the process that signed the tenant up. */
  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  constructor(slug: string, name: string) {
    assertSlug(slug);
    this.slug = slug;
    this.name = name;
  }
}
