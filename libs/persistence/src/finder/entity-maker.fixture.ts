import type { Opt, Ref } from '@mikro-orm/core';
import { Entity, ManyToOne, Property } from '@mikro-orm/decorators/legacy';
import { TenantOwned } from '../index.js';

/** A reference that shares the tenant's column and may point to nothing. */
function maybe(name: string) {
  return {
    ref: true,
    nullable: true,
    index: false,
    joinColumns: ['tenant_id', `${name}_id`],
    referencedColumnNames: ['tenant_id', 'id'],
    ownColumns: [`${name}_id`],
    deleteRule: 'restrict',
    updateRule: 'restrict',
  };
}

@Entity({ tableName: 'place' })
export class Place extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  name!: string;
}

/** Three tables, each with a column of the kinds that MikroORM maps in another way where they are in a table below. */
@Entity({ tableName: 'vehicle', inheritance: 'tpt' })
export abstract class Vehicle extends TenantOwned {
  @Property({ type: 'boolean', nullable: true })
  isOld?: boolean | null;

  @ManyToOne(() => Place, maybe('home'))
  home?: Ref<Place> | null;

  @Property({ type: 'integer', version: true })
  readonly version!: number & Opt;
}

@Entity({ tableName: 'car' })
export class Car extends Vehicle {
  @Property({ type: 'boolean', nullable: true })
  isFast?: boolean | null;

  @ManyToOne(() => Place, maybe('garage'))
  garage?: Ref<Place> | null;

  @Property({ type: 'Date', length: 3, nullable: true })
  madeAt?: Date | null;
}

@Entity({ tableName: 'truck' })
export class Truck extends Car {
  @Property({ type: 'boolean', nullable: true })
  isFull?: boolean | null;

  @ManyToOne(() => Place, maybe('target'))
  target?: Ref<Place> | null;

  @Property({ type: 'Date', length: 3, nullable: true })
  sentAt?: Date | null;

  @Property({ type: 'bigint', nullable: true })
  grams?: bigint | null;
}

/** Has a schema of its own, whatever that of the EntityManager is. */
@Entity({ tableName: 'elsewhere', schema: 'elsewhere' })
export class Elsewhere extends TenantOwned {
  @Property({ type: 'string', length: 20 })
  name!: string;

  @ManyToOne(() => Elsewhere, maybe('other'))
  other?: Ref<Elsewhere> | null;
}
