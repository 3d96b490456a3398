import type { Opt } from '@mikro-orm/core';
import { Entity, Property } from '@mikro-orm/decorators/legacy';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { TenantOwned } from '../entities/tenant-owned.js';
import type { StepOptions } from './run-in-steps.js';
import { WorkProgress } from './work-progress.entity.js';
import { workThrough } from './work-through.js';

/** A row that long work changes. */
@Entity({ tableName: 'parcel' })
export class Parcel extends TenantOwned {
  @Property({ type: 'integer' })
  weighed: number & Opt = 0;
}

/** What long work has made of a parcel: one for each time that it was handed over. */
@Entity({ tableName: 'weighing' })
export class Weighing extends TenantOwned {
  @Property({ type: 'uuid' })
  parcelId!: string;
}

export const stepsModel = [Parcel, Weighing, WorkProgress];
export const WORK = 'weigh everything';

/** Weighs every parcel, three at a time, and keeps a record of each; `pause` comes when a step has written and not committed. */
export function weigh(em: SqlEntityManager, options: StepOptions = {}, pause = async (): Promise<void> => {}) {
  return workThrough(
    em,
    Parcel,
    WORK,
    async (parcels, tx) => {
      for (const parcel of parcels) {
        parcel.weighed += 1;
        tx.create(Weighing, { parcelId: parcel.id });
      }
      await tx.flush();
      await pause();
    },
    { chunkSize: 3, ...options },
  );
}
