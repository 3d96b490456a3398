import { UniqueConstraintViolationException } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { CentralEntityManager } from '#libs/persistence';
import { InvalidSlotsError } from '../errors/invalid-slots.error.js';
import { SlotOccupiedError } from '../errors/slot-occupied.error.js';
import type { ShardId } from '../registry/shard-definition.js';
import type { ShardRegistry } from '../registry/shard-registry.js';
import { ShardRecord } from './shard-record.entity.js';
import { type Slot, slotOf } from './slot.js';
import { SlotMapRecord } from './slot-map-record.entity.js';
import type { OccupiedSlot, SlotOccupants } from './slot-occupants.js';
import { SlotRangeRecord } from './slot-range-record.entity.js';
import {
  applySlotMoves,
  createSlotTable,
  fromSlotRanges,
  planSlotMoves,
  type ShardWeights,
  type SlotMove,
  type SlotTable,
  toSlotRanges,
} from './slot-table.js';

/** The slot table as it is stored. */
export interface StoredSlots {
  /** Grows with every change. */
  readonly epoch: number;
  readonly table: SlotTable;
  readonly shards: readonly ShardRecord[];
}

/** What a change of weights comes to. */
export interface Rebalance {
  /** Slots that nobody lives in, or nobody who would have to move. */
  readonly moves: readonly SlotMove[];
  /** Slots that should move and are occupied: they stay until their tenants have moved. */
  readonly occupied: readonly OccupiedSlot[];
}

/** What becomes of a shard's part in placement. */
type ShardChange = Pick<ShardRecord, 'id' | 'weight' | 'state'>;

/** How long a table is used before its epoch is looked at again, in milliseconds. */
const CACHE_MS = 2_000;

/**
 * Placement by slots, from the central database: which shards take part, with which weight, and which shard each of the
 * 4096 slots is on. It decides about new tenants; where a tenant lives is stored with the tenant, which may also be
 * somewhere else than its slot says.
 */
export class SlotDirectory {
  #cached: { readonly slots: StoredSlots; staleAt: number } | undefined;

  constructor(
    private readonly central: CentralEntityManager,
    private readonly registry: ShardRegistry,
    private readonly occupants: SlotOccupants,
  ) {}

  /**
   * The shard of a new tenant: that of its slot, when it takes new tenants and is accepted; else the one the slot would be on
   * without those that are not. So every process answers alike, also while a shard is drained.
   *
   * @param accepts  which shards are fit for this tenant. Default: all
   * @throws {InvalidSlotsError} when no shard is left
   */
  async place(key: string, accepts: (id: ShardId) => boolean = () => true): Promise<ShardId> {
    const { table, shards } = await this.#current();
    const open = shards.filter(({ id, state }) => state === 'active' && this.registry.has(id) && accepts(id));
    const slot = slotOf(key);
    const chosen = table[slot] as ShardId;
    if (open.some(({ id }) => id === chosen)) return chosen;
    return applySlotMoves(table, planSlotMoves(table, weightsOf(open)))[slot] as ShardId;
  }

  /** The table as it is now; the first time, one from the configured shards and their weights. */
  async read(): Promise<StoredSlots> {
    const em = this.#em();
    // The epoch first: a table that changes meanwhile is then taken for older than it is, and read again.
    const { epoch } = (await em.findOne(SlotMapRecord, 1)) ?? (await this.#seed());
    const ranges = await em.find(SlotRangeRecord, {});
    const shards = await em.find(ShardRecord, {}, { orderBy: { id: 'asc' } });
    return { epoch, table: fromSlotRanges(ranges), shards };
  }

  /**
   * Takes a configured shard in, or gives it another weight, and moves as few empty slots as that takes.
   * @throws {UnknownShardError} when it is not configured
   */
  async add(id: ShardId, weight: number, { dryRun = false } = {}): Promise<Rebalance> {
    this.registry.definition(id);
    if (!Number.isSafeInteger(weight) || weight < 1) throw new InvalidSlotsError('A weight is a whole number from 1.');
    return this.#reweigh(dryRun, { id, weight, state: 'active' });
  }

  /**
   * Lets a shard take no new tenants, and gives its empty slots to the others.
   * @throws {InvalidSlotsError} when it is the last one
   */
  async drain(id: ShardId, { dryRun = false } = {}): Promise<Rebalance> {
    const { shards } = await this.read();
    if (!shards.some((shard) => shard.id === id))
      throw new InvalidSlotsError(`Shard "${id}" has no part in placement.`);
    return this.#reweigh(dryRun, { id, weight: 0, state: 'draining' });
  }

  /** Moves as few empty slots as it takes to bring every shard to its weight, as far as that goes. */
  rebalance({ dryRun = false } = {}): Promise<Rebalance> {
    return this.#reweigh(dryRun);
  }

  /**
   * Moves slots to a shard.
   * @throws {SlotOccupiedError} when tenants would have to move with them {@link UnknownShardError}
   */
  async move(slots: readonly Slot[], to: ShardId, { dryRun = false } = {}): Promise<SlotMove[]> {
    const { id } = this.registry.definition(to);
    const stored = await this.read();
    if (!stored.shards.some((shard) => shard.id === id && shard.state === 'active')) {
      throw new InvalidSlotsError(`Shard "${id}" takes no slots: add it first ("shard add").`);
    }
    const moves = slots
      .map((slot) => ({ slot, from: stored.table[slot] as ShardId, to: id }))
      .filter(({ from }) => from !== id);
    const occupied = await this.occupiedAmong(moves);
    if (occupied.length > 0) throw new SlotOccupiedError(occupied);
    if (!dryRun && moves.length > 0) await this.#store(stored, moves);
    return moves;
  }

  /** Those of the slots in which tenants live on the slot's own shard. */
  async occupiedAmong(slots: readonly { readonly slot: Slot; readonly from: ShardId }[]): Promise<OccupiedSlot[]> {
    const tenants = await this.#tenantsBySlot([...new Set(slots.map(({ from }) => from))]);
    return slots.flatMap(({ slot, from }) => {
      const names = tenants.get(from)?.get(slot);
      return names ? [{ slot, tenants: names }] : [];
    });
  }

  async #reweigh(dryRun: boolean, change?: ShardChange): Promise<Rebalance> {
    const stored = await this.read();
    const weights = { ...weightsOf(stored.shards), ...(change && { [change.id]: change.weight }) };
    const tenants = await this.#tenantsBySlot([...new Set(stored.table)]);
    const findTenants = (slot: Slot) => tenants.get(stored.table[slot] as ShardId)?.get(slot);
    const planned = planSlotMoves(stored.table, weights, (slot) => findTenants(slot) !== undefined);
    const moves = planned.filter(({ slot }) => !findTenants(slot));
    const occupied = planned.flatMap(({ slot }) => {
      const names = findTenants(slot);
      return names ? [{ slot, tenants: names }] : [];
    });
    if (!dryRun && (change || moves.length > 0)) await this.#store(stored, moves, change);
    return { moves, occupied };
  }

  /** Names by shard and slot. */
  async #tenantsBySlot(shards: readonly ShardId[]): Promise<Map<ShardId, Map<Slot, string[]>>> {
    const result = new Map<ShardId, Map<Slot, string[]>>();
    for (const id of shards) {
      const grouped = Map.groupBy(await this.occupants.listOn(id), ({ key }) => slotOf(key));
      result.set(id, new Map([...grouped].map(([slot, those]) => [slot, those.map(({ name }) => name)])));
    }
    return result;
  }

  /** @throws {InvalidSlotsError} when somebody else has changed the table since it was read */
  async #store(stored: StoredSlots, moves: readonly SlotMove[], change?: ShardChange): Promise<void> {
    await this.#em().transactional(async (em) => {
      const raised = await em.nativeUpdate(SlotMapRecord, { id: 1, epoch: stored.epoch }, { epoch: stored.epoch + 1 });
      if (raised !== 1) throw new InvalidSlotsError('Somebody else has changed the slot table meanwhile.');
      if (moves.length > 0) {
        await em.nativeDelete(SlotRangeRecord, {});
        await em.insertMany(
          SlotRangeRecord,
          toSlotRanges(applySlotMoves(stored.table, moves)).map((range) => ({ ...range })),
        );
      }
      if (!change) return;
      const { id, weight, state } = change;
      const record = (await em.findOne(ShardRecord, id)) ?? new ShardRecord(id, weight);
      em.persist(Object.assign(record, { weight, state }));
      await em.flush();
    });
    this.#cached = undefined;
  }

  async #seed(): Promise<SlotMapRecord> {
    const em = this.#em();
    const records = this.registry.ids.map((id) => new ShardRecord(id, this.registry.definition(id).weight ?? 1));
    const map = new SlotMapRecord();
    em.persist([map, ...records]);
    em.persist(toSlotRanges(createSlotTable(weightsOf(records))).map((range) => new SlotRangeRecord(range)));
    try {
      await em.flush();
      return map;
    } catch (error) {
      // Another process was quicker.
      if (!(error instanceof UniqueConstraintViolationException)) throw error;
      return this.#em().findOneOrFail(SlotMapRecord, 1);
    }
  }

  async #current(): Promise<StoredSlots> {
    const cached = this.#cached;
    if (cached && cached.staleAt > Date.now()) return cached.slots;
    if (cached && (await this.#em().findOne(SlotMapRecord, 1))?.epoch === cached.slots.epoch) {
      cached.staleAt = Date.now() + CACHE_MS;
      return cached.slots;
    }
    const slots = await this.read();
    this.#cached = { slots, staleAt: Date.now() + CACHE_MS };
    return slots;
  }

  #em(): SqlEntityManager {
    return this.central.get().fork() as SqlEntityManager;
  }
}

function weightsOf(shards: readonly ShardRecord[]): ShardWeights {
  return Object.fromEntries(shards.map(({ id, weight }) => [id, weight]));
}
