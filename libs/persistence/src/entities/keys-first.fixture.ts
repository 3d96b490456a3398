import type { Ref } from '@mikro-orm/core';
import { Entity, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { TenantOwned } from '../index.js';

@Entity({ tableName: 'dock' })
export class Dock extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  name!: string;
}

@Entity({ tableName: 'vessel', inheritance: 'tpt' })
export abstract class Vessel extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  name!: string;
}

/** A relation in a child's table, which shares the tenant's column and may point to nothing. */
@Entity({ tableName: 'boat' })
export class Boat extends Vessel {
  @ManyToOne(() => Dock, {
    ref: true,
    nullable: true,
    joinColumns: ['tenant_id', 'dock_id'],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: ['dock_id'],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  })
  dock?: Ref<Dock> | null;
}
