import type { OccupiedSlot } from '../slots/slot-occupants.js';
import { ShardingError } from './sharding.error.js';

const SHOWN = 10;

/** Slots that are to be moved have tenants on the shard they are to leave. Nothing was moved. */
export class SlotOccupiedError extends ShardingError {
  readonly code = 'slot_occupied';

  constructor(readonly slots: readonly OccupiedSlot[]) {
    const names = slots.flatMap(({ slot, tenants }) => tenants.map((tenant) => `${tenant} (slot ${slot})`));
    const more = names.length > SHOWN ? ` and ${names.length - SHOWN} more` : '';
    super(
      `Tenants lie in these slots: ${names.slice(0, SHOWN).join(', ')}${more}. Move the tenants to the other shard first, ` +
        'or move empty slots.',
    );
  }
}
