import type { Opt } from '@mikro-orm/core';
import { Entity, Property, Unique } from '@mikro-orm/decorators/legacy';
import { LongTextType } from '../engines/long-text.type.js';
import { TenantOwned } from '../entities/tenant-owned.js';

/** How far a long work of a tenant has come. Written by `runInSteps`, in the transaction of each step. */
@Entity({ tableName: 'work_progress' })
@Unique({ properties: ['tenantId', 'name'] })
export class WorkProgress extends TenantOwned {
  @Property({ type: 'string', length: 200 })
  readonly name: string;

  /** JSON of where the next step begins; `null` before the first has ended. */
  @Property({ type: LongTextType, nullable: true })
  position: (string & Opt) | null = null;

  /** What all steps so far have said to have done. */
  @Property({ type: 'integer' })
  done: number & Opt = 0;

  @Property({ type: 'Date', length: 3 })
  readonly startedAt: Date & Opt = new Date();

  @Property({ type: 'Date', length: 3, nullable: true })
  finishedAt: (Date & Opt) | null = null;

  constructor(name: string) {
    super();
    this.name = name;
  }
}
