import { LockMode } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import { CentralEntityManager, newId } from '#libs/persistence';
import { PlacementRecord } from '../entities/placement.entity.js';
import { type MoveStage, namesOf, PlacementMove, type PlaceOfMove } from '../entities/placement-move.entity.js';
import { Tenant } from '../entities/tenant.entity.js';
import { TenantMoveRefusedError } from '../errors/tenant-move-refused.error.js';
import { TenantStore } from '../store/tenant-store.js';

/** A tenant, as a move needs to know it. */
type Moved = Pick<Tenant, 'id' | 'slug'>;

/**
 * Moves of tenants on record in the central database, which alone says where a tenant's rows are. Every step is one
 * transaction, under the lock of the tenant, and goes on from the stage that it finds, under the claim that it has, or not at
 * all: of two processes that believe to be at the same move, one is refused.
 */
@Injectable()
export class PlacementMoves {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly tenants: TenantStore,
  ) {}

  /** Of a tenant, or of all; oldest first. */
  list(tenantId?: string): Promise<PlacementMove[]> {
    const where = tenantId === undefined ? {} : { tenantId };
    return this.#fork().find(PlacementMove, where, { orderBy: { id: 'asc' } });
  }

  /** Where the central database says that a tenant's rows are, at this moment. */
  placementOf(tenantId: string): Promise<PlacementRecord> {
    return this.#fork().findOneOrFail(PlacementRecord, { tenantId });
  }

  /**
   * @param earlier  ids of moves out of the place that rows are moved to, under whatever name: rows that were kept there make
   *   room, and it is known by one name from here on
   * @throws {TenantMoveRefusedError}
   */
  begin(tenant: Moved, target: PlaceOfMove, earlier: readonly string[]): Promise<PlacementMove> {
    return this.#change(tenant, async (em, placement) => {
      if (placement.state !== 'active') throw new TenantMoveRefusedError(tenant.slug, `it is ${placement.state}.`);
      for (const left of await em.find(PlacementMove, { tenantId: tenant.id, id: [...earlier] })) {
        Object.assign(left, { stage: 'fenced', claim: null, source: JSON.stringify(namesOf(target)) });
      }
      const move = new PlacementMove(tenant.id, placement, target);
      placement.state = 'moving';
      placement.epoch++;
      em.persist(move);
      return move;
    });
  }

  /**
   * Takes a move over from whoever had it. Before anything else is done for it.
   * @throws {TenantMoveRefusedError} when it has come to its end
   */
  claim(tenant: Moved, { id }: PlacementMove): Promise<PlacementMove> {
    return this.#change(tenant, async (em) => {
      const move = await em.findOne(PlacementMove, { id });
      if (!move) throw taken(tenant);
      move.claim = newId();
      return move;
    });
  }

  /** @throws {TenantMoveRefusedError} when somebody else has claimed it since, or has ended it */
  async assertClaimed({ slug }: Pick<Moved, 'slug'>, { id, claim }: PlacementMove): Promise<void> {
    if ((await this.#fork().count(PlacementMove, { id, claim })) === 0) throw taken({ slug });
  }

  /** From here on the rows are at the target. */
  switch(tenant: Moved, move: PlacementMove): Promise<PlacementMove> {
    return this.#advance(tenant, move, ['copying'], 'switched', (placement) => settle(placement, move, 'target'));
  }

  /** From here on the move cannot go forward. */
  giveUp(tenant: Moved, move: PlacementMove): Promise<PlacementMove> {
    return this.#advance(tenant, move, ['copying', 'cancelling'], 'cancelling');
  }

  /**
   * The target is open.
   * @param earlier  ids of moves out of the target: of what they left there, nothing is left
   */
  serve(tenant: Moved, move: PlacementMove, earlier: readonly string[]): Promise<PlacementMove> {
    return this.#advance(tenant, move, ['switched', 'served'], 'served', async (_, em) => {
      await em.nativeDelete(PlacementMove, { tenantId: tenant.id, id: [...earlier] });
    });
  }

  /** Nothing is left at the source but a fence. */
  leaveFence(tenant: Moved, move: PlacementMove): Promise<PlacementMove> {
    return this.#advance(tenant, move, ['served', 'fenced'], 'fenced');
  }

  /** Nothing is left of it: not at the source, or not at the target of one that was given up. */
  async end(tenant: Moved, move: PlacementMove): Promise<void> {
    await this.#change(tenant, async (em, placement) => {
      const found = await em.findOne(PlacementMove, { id: move.id });
      if (found && found.claim !== move.claim) throw taken(tenant);
      if (found?.stage === 'cancelling') settle(placement, move, 'source');
      if (found) em.remove(found);
    });
  }

  /** Another way to the same place. */
  reroute(tenant: Moved, target: PlaceOfMove): Promise<void> {
    return this.#change(tenant, async (_, placement) => {
      if (placement.state !== 'active') throw new TenantMoveRefusedError(tenant.slug, `it is ${placement.state}.`);
      assignPlace(placement, target);
      placement.epoch++;
    });
  }

  #advance(
    tenant: Moved,
    { id, claim }: PlacementMove,
    from: readonly MoveStage[],
    to: MoveStage,
    more: (placement: PlacementRecord, em: SqlEntityManager) => unknown = () => undefined,
  ): Promise<PlacementMove> {
    return this.#change(tenant, async (em, placement) => {
      const move = await em.findOne(PlacementMove, { id });
      if (!move || move.claim !== claim || !from.includes(move.stage)) throw taken(tenant);
      if (move.stage !== to) Object.assign(move, { stage: to, since: new Date() });
      await more(placement, em);
      return move;
    });
  }

  async #change<T>(
    { id, slug }: Moved,
    work: (em: SqlEntityManager, placement: PlacementRecord) => Promise<T>,
  ): Promise<T> {
    const result = await this.#fork().transactional(async (transaction) => {
      const em = transaction as SqlEntityManager;
      const tenant = await em.findOne(Tenant, id, { lockMode: LockMode.PESSIMISTIC_WRITE });
      if (!tenant) throw new TenantMoveRefusedError(slug, 'there is no such tenant any more.');
      const done = await work(em, await em.findOneOrFail(PlacementRecord, { tenantId: id }));
      await em.flush();
      await this.tenants.announce(em, id);
      return done;
    });
    this.tenants.forget(id);
    return result;
  }

  #fork(): SqlEntityManager {
    return this.central.get().fork({ disableContextResolution: true, useContext: false }) as SqlEntityManager;
  }
}

function taken({ slug }: Pick<Moved, 'slug'>): TenantMoveRefusedError {
  return new TenantMoveRefusedError(slug, 'somebody else goes on with it, or has ended it.');
}

function settle(placement: PlacementRecord, move: PlacementMove, end: 'source' | 'target'): void {
  assignPlace(placement, move.placementOf(end));
  placement.state = 'active';
  placement.epoch++;
}

function assignPlace(placement: PlacementRecord, place: PlaceOfMove): void {
  const { strategy, shardId, schemaName, databaseName } = namesOf(place);
  Object.assign(placement, { strategy, shardId, schemaName: schemaName ?? null, databaseName: databaseName ?? null });
}
