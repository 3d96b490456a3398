import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** The one row that says which version of the slot table is in force. Whoever changes the table raises its epoch first. */
@Entity({ tableName: 'slot_map' })
export class SlotMapRecord {
  /** Always 1: there is one table. */
  @PrimaryKey({ type: 'integer', autoincrement: false })
  readonly id: number & Opt = 1;

  @Property({ type: 'integer' })
  epoch: number & Opt = 1;
}
