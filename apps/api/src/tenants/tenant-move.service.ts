import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { AuditTrail, AuditVerifier } from '#libs/audit';
import { currentContext, runAs } from '#libs/context';
import { runAlone } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import {
  IsolationStrategies,
  type MoveInHand,
  namesOf,
  PlaceMover,
  type Placement,
  type PlacementMove,
  PlacementMoves,
  type PlaceOfMove,
  TenantMoveRefusedError,
  TenantMovingError,
  type TenantRecord,
  TenantStore,
} from '#libs/tenancy';
import { AuditWitnesses } from '../audit/audit-witnesses.js';
import { AppConfig } from '../config/app.config.js';
import type { WantedPlacement } from './tenant-placer.js';

/** How a tenant is moved. */
export interface MoveOptions {
  /** Whether the old place keeps its rows; nobody can write them. Default: they are removed. */
  readonly keepOld?: boolean;
  /**
   * How long after the move the old place can still be read, in milliseconds: by processes that never hear of the move, and
   * by work that began before it. Afterwards such work finds no rows in shared tables, and fails elsewhere. Default: as long
   * as a process keeps a placement (`cacheTtlMs`), and half a minute for what began at its last moment.
   */
  readonly settleMs?: number;
  /** Takes lines of progress. */
  say?(line: string): void;
}

/** What a move did, or would do. */
export interface TenantMove {
  readonly slug: string;
  readonly source: PlaceOfMove;
  readonly target: PlaceOfMove;
  /** Rows that were copied; `undefined` when none had to be. */
  readonly rows?: number;
  /** What is left at the old place. */
  readonly left: 'nothing' | 'a fence' | 'the rows' | 'the same place';
}

/** Longer than requests take. Jobs and exports may take longer: who has such says so with `settleMs`. */
const LONGEST_READ_MS = 30_000;

/** Moves without an end yet, of which a tenant has one at most. */
const OPEN = ['copying', 'cancelling', 'switched'];

/**
 * Moves a tenant's rows to another place while the tenant is served: reads go on, writes are answered 503 until the rows
 * are where they shall be, and nothing that was acknowledged is lost. The central database says where the rows are at
 * every moment; a move that was interrupted goes on when it is asked for again.
 */
@Injectable()
export class TenantMoveService {
  readonly #mover: PlaceMover;

  constructor(
    private readonly config: AppConfig,
    private readonly tenants: TenantStore,
    private readonly moves: PlacementMoves,
    private readonly shards: ShardRegistry,
    private readonly strategies: IsolationStrategies,
    private readonly trail: AuditTrail,
    private readonly verifier: AuditVerifier,
    private readonly witnesses: AuditWitnesses,
    mover: PlaceMover,
  ) {
    this.#mover = mover;
  }

  /**
   * What a move would do; it changes nothing.
   * @throws {TenantNotFoundError} @throws {UnknownShardError} @throws {StrategyUnsupportedError}
   * @throws {TenantMoveRefusedError} when the rows are there already, or another move is under way
   */
  async plan(slug: string, wanted: WantedPlacement): Promise<TenantMove> {
    const tenant = await this.tenants.getBySlug(slug);
    const source = await this.moves.placementOf(tenant.id);
    const target = this.#targetOf(tenant, source, wanted);
    const open = await this.#findUnfinished(tenant, target);
    if (open) {
      const { strategy, shardId } = open.placementOf('target');
      const isOther = strategy !== target.strategy || shardId !== target.shardId;
      if (isOther && hasWish(wanted)) throw new TenantMoveRefusedError(slug, describeOpen(open));
      return { slug, ...endsOf(open), left: 'the rows' };
    }
    if (source.strategy === target.strategy && source.shardId === target.shardId) {
      throw new TenantMoveRefusedError(slug, 'its rows are there already.');
    }
    const isSame = this.#mover.isSamePlace(source, target);
    return { slug, source: namesOf(source), target: namesOf(target), left: isSame ? 'the same place' : 'the rows' };
  }

  /**
   * Moves the rows, or goes on with a move that was interrupted. No place is migrated meanwhile, and no other tenant moved:
   * instances that start in that time wait.
   * @throws what `plan` throws
   * @throws {TenantMoveRefusedError} when the trail is broken, or the copy is not like the original; all is then as before
   */
  move(slug: string, wanted: WantedPlacement, options: MoveOptions = {}): Promise<TenantMove> {
    return this.#alone(async () => {
      const { target } = await this.plan(slug, wanted);
      const tenant = await this.tenants.getBySlug(slug);
      const open = await this.#findUnfinished(tenant, place(tenant.id, target));
      if (open?.stage === 'cancelling') {
        throw new TenantMoveRefusedError(
          slug,
          'a move was given up and not cleaned up. Repeat it with --cancel first.',
        );
      }
      const source = await this.moves.placementOf(tenant.id);
      if (!open && this.#mover.isSamePlace(source, place(tenant.id, target))) return this.#reroute(tenant, target);
      const begun = open ? await this.moves.claim(tenant, open) : await this.#begin(tenant, target, options);
      const rows = begun.stage === 'copying' ? await this.#copy(tenant, begun, options) : undefined;
      const left = await this.#finish(tenant, begun, options);
      return { slug, ...endsOf(begun), ...(rows !== undefined && { rows }), left };
    });
  }

  /**
   * Gives a move up that has not come to its end: the rows stay where they were.
   * @throws {TenantMoveRefusedError} when none is under way, or the rows have been moved already
   */
  cancel(slug: string): Promise<void> {
    return this.#alone(async () => {
      const tenant = await this.tenants.getBySlug(slug);
      const open = await this.#findOpen(tenant);
      if (!open) throw new TenantMoveRefusedError(slug, 'no move is under way.');
      if (open.stage === 'switched') {
        throw new TenantMoveRefusedError(slug, 'its rows are at the new place already. Repeat the move to end it.');
      }
      await this.#giveUp(tenant, await this.moves.claim(tenant, open));
    });
  }

  /**
   * That nothing of a tenant is where only an unfinished move knows of it.
   * @throws {TenantMoveRefusedError} while a move has not come to its end
   */
  async assertNone(tenant: TenantRecord): Promise<void> {
    const open = await this.#findOpen(tenant);
    if (open) throw new TenantMoveRefusedError(tenant.slug, describeOpen(open));
  }

  /** Removes what moves have left of a tenant at old places, rows and fences: that of one move, or of all. */
  async clearOld(tenant: Pick<TenantRecord, 'id' | 'slug'>, moveId?: string): Promise<void> {
    for (const move of await this.moves.list(tenant.id)) {
      if (OPEN.includes(move.stage) || (moveId !== undefined && move.id !== moveId)) continue;
      const claimed = await this.moves.claim(tenant, move);
      if (claimed.stage === 'served') await this.#clear(tenant, claimed);
      const hand = await this.#inHand(tenant, claimed);
      if (hand.source.strategy === 'row') await this.#mover.lower(hand);
      await this.moves.end(tenant, claimed);
    }
  }

  async #inHand(tenant: Pick<TenantRecord, 'id' | 'slug'>, move: PlacementMove): Promise<MoveInHand> {
    const [source, target] = [move.placementOf('source'), move.placementOf('target')];
    const earlier = await this.#leftAt(tenant, target);
    const assertClaimed = () => this.moves.assertClaimed(tenant, move);
    return { slug: tenant.slug, id: move.id, source, target, earlier, assertClaimed };
  }

  /** Ids of moves that have left something of the tenant at a place. */
  async #leftAt({ id }: Pick<TenantRecord, 'id'>, place: Placement): Promise<string[]> {
    const left = (await this.moves.list(id)).filter(({ stage }) => !OPEN.includes(stage));
    return left.filter((move) => this.#mover.isSamePlace(move.placementOf('source'), place)).map((move) => move.id);
  }

  /** Like `#leftAt`, also where the shard had another id then. */
  async #leftInStorageOf({ id }: Pick<TenantRecord, 'id'>, place: Placement): Promise<string[]> {
    const ids: string[] = [];
    for (const move of await this.moves.list(id)) {
      const source = move.placementOf('source');
      if (!this.shards.ids.includes(source.shardId)) continue;
      if (await this.#mover.isSameStorage(source, place)) ids.push(move.id);
    }
    return ids;
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    return runAlone(this.config.centralUrl, 'rowhouse migrations', work);
  }

  async #findOpen({ id }: Pick<TenantRecord, 'id'>): Promise<PlacementMove | undefined> {
    return (await this.moves.list(id)).find(({ stage }) => OPEN.includes(stage));
  }

  /** Also one whose old place was kept, when its target is asked for again. */
  async #findUnfinished(tenant: TenantRecord, target: Placement): Promise<PlacementMove | undefined> {
    const moves = await this.moves.list(tenant.id);
    const current = await this.moves.placementOf(tenant.id);
    const isAt = (move: PlacementMove) =>
      move.stage === 'served' &&
      move.placementOf('target').strategy === target.strategy &&
      [target, current].every((it) => this.#mover.isSamePlace(move.placementOf('target'), it));
    return moves.find(({ stage }) => OPEN.includes(stage)) ?? moves.find(isAt);
  }

  /**
   * Where the strategy leads to the tables that the rows are in, that is the place. Else it is a new one, of a name that was never
   * used: work that began at an earlier place of the tenant would write there before the fence stands.
   */
  #targetOf({ id }: TenantRecord, source: Placement, wanted: WantedPlacement): Placement {
    const { strategy = source.strategy, shard = source.shardId } = wanted;
    const { id: shardId } = this.shards.definition(shard);
    const names = this.strategies.get(strategy, shardId).nameFor(id);
    const named = (name: (usual: string) => string) =>
      place(id, {
        strategy,
        shardId,
        ...(names.schemaName !== undefined && { schemaName: name(names.schemaName) }),
        ...(names.databaseName !== undefined && { databaseName: name(names.databaseName) }),
      });
    const here = named((usual) => source.schemaName ?? source.databaseName ?? usual);
    return this.#mover.isSamePlace(source, here) ? here : named((usual) => `${usual}_${source.epoch + 1}`);
  }

  async #begin(tenant: TenantRecord, target: PlaceOfMove, { keepOld }: MoveOptions): Promise<PlacementMove> {
    const source = await this.moves.placementOf(tenant.id);
    await this.strategies.migrate(source);
    const unmapped = keepOld ? undefined : await this.#mover.findUnmapped(source);
    if (unmapped !== undefined) {
      const because = `${unmapped} holds values and is mapped by no entity. Map it, or keep the old place.`;
      throw new TenantMoveRefusedError(tenant.slug, because);
    }
    const verdict = await this.#at(tenant, source, () => this.verifier.verify());
    if (!verdict.ok) {
      throw new TenantMoveRefusedError(tenant.slug, `its trail is broken (${verdict.fault?.detail}).`);
    }
    return this.moves.begin(tenant, target, await this.#leftInStorageOf(tenant, place(tenant.id, target)));
  }

  /** The rows of an interrupted copy are worth nothing: it begins again. */
  async #copy(tenant: TenantRecord, move: PlacementMove, { say }: MoveOptions): Promise<number> {
    const hand = await this.#inHand(tenant, move);
    try {
      await this.#recordBegin(tenant, move);
      say?.(`Copying the rows of ${tenant.slug}; they can be read, and not changed.`);
      const rows = await this.#mover.copy(hand);
      await this.#watch(tenant, hand, say);
      await this.moves.switch(tenant, move);
      return rows;
    } catch (error) {
      // Refused when the switch has happened and only its answer was lost, or somebody else goes on with it.
      await this.#giveUp(tenant, move).catch(async (failure: unknown) => {
        say?.(`The move is neither done nor undone (${String(failure)}). Repeat it, or repeat it with --cancel.`);
        await this.#lowerIfGone(tenant, hand).catch(() => undefined);
      });
      throw error;
    }
  }

  async #watch(tenant: TenantRecord, { source, target }: MoveInHand, say: MoveOptions['say']): Promise<void> {
    const [old, fresh] = [source, target].map((placement) => ({ ...tenant, placement })) as [
      TenantRecord,
      TenantRecord,
    ];
    const isWithout = await this.witnesses.follow(old, fresh, target.strategy === 'row');
    if (isWithout)
      say?.('The new place has no witnesses of the audit trail, and the old one had. See "audit witness".');
  }

  /** Where DDL is no part of a transaction, a part of the fence may have come after somebody else had given the move up. */
  async #lowerIfGone(tenant: TenantRecord, hand: MoveInHand): Promise<void> {
    const stage = (await this.moves.list(tenant.id)).find(({ id }) => id === hand.id)?.stage;
    if (stage === undefined || stage === 'cancelling') await this.#mover.lower(hand);
  }

  /** Before the fence, so that it is copied with all other entries. Of an interrupted move it is there already. */
  async #recordBegin(tenant: TenantRecord, move: PlacementMove): Promise<void> {
    await this.#record(tenant, move.placementOf('source'), 'tenant_move_begun', move).catch((error: unknown) => {
      if (!(error instanceof TenantMovingError)) throw error;
    });
  }

  async #finish(tenant: TenantRecord, move: PlacementMove, options: MoveOptions): Promise<TenantMove['left']> {
    const { keepOld = false, settleMs = this.tenants.cacheTtlMs + LONGEST_READ_MS, say } = options;
    const target = move.placementOf('target');
    if (move.stage !== 'served') await this.#serve(tenant, move);
    const verdict = await this.#at(tenant, target, () => this.verifier.verify());
    if (!verdict.ok) {
      const because = `it was, and its trail does not verify there (${verdict.fault?.detail}). The old place is kept.`;
      throw new TenantMoveRefusedError(tenant.slug, because);
    }
    if (keepOld) return 'the rows';
    say?.(`${tenant.slug} is served at its new place. Waiting ${settleMs / 1000} s for readers of the old one.`);
    await sleep(settleMs);
    return (await this.#clear(tenant, move)) ? 'a fence' : 'nothing';
  }

  async #serve(tenant: TenantRecord, move: PlacementMove): Promise<void> {
    const hand = await this.#inHand(tenant, move);
    await this.#mover.open(hand);
    await this.#record(tenant, hand.target, 'tenant_moved', move);
    await this.moves.serve(tenant, move, hand.earlier);
  }

  /** @returns whether a fence is left */
  async #clear(tenant: Pick<TenantRecord, 'id' | 'slug'>, move: PlacementMove): Promise<boolean> {
    const hand = await this.#inHand(tenant, move);
    const hasFence = await this.#mover.clear(hand, await this.moves.placementOf(tenant.id));
    await (hasFence ? this.moves.leaveFence(tenant, move) : this.moves.end(tenant, move));
    return hasFence;
  }

  async #giveUp(tenant: TenantRecord, move: PlacementMove): Promise<void> {
    await this.moves.giveUp(tenant, move);
    await this.#mover.undo(await this.#inHand(tenant, move));
    await this.moves.end(tenant, move);
    await this.#record(tenant, move.placementOf('source'), 'tenant_move_cancelled', move);
  }

  /** The rows stay; what leads to them is another strategy. On record before it happens. */
  async #reroute(tenant: TenantRecord, target: PlaceOfMove): Promise<TenantMove> {
    const source = await this.moves.placementOf(tenant.id);
    await this.strategies.migrate(source);
    const ends = { source: namesOf(source), target };
    await this.#at(tenant, source, () => this.trail.record({ action: 'tenant_moved', details: detailsOf(ends) }));
    await this.moves.reroute(tenant, target);
    return { slug: tenant.slug, ...ends, left: 'the same place' };
  }

  #record(tenant: TenantRecord, at: Placement, action: string, move: PlacementMove): Promise<void> {
    return this.#at(tenant, at, () => this.trail.record({ action, details: detailsOf(endsOf(move)) }));
  }

  #at<T>(tenant: TenantRecord, placement: Placement, work: () => Promise<T>): Promise<T> {
    const { actor = { id: 'platform', type: 'system' as const } } = currentContext();
    const there = { ...tenant, placement: { ...placement } };
    return runAs({ tenant: there, actor }, work);
  }
}

function place(tenantId: string, names: PlaceOfMove): Placement {
  return { ...names, tenantId, epoch: 0, state: 'moving' };
}

function endsOf(move: PlacementMove): Pick<TenantMove, 'source' | 'target'> {
  return { source: namesOf(move.placementOf('source')), target: namesOf(move.placementOf('target')) };
}

/** Where tenants live is the operators' business, so shards and names stay out of the tenant's trail. */
function detailsOf({ source, target }: Pick<TenantMove, 'source' | 'target'>) {
  return { from: source.strategy, to: target.strategy };
}

function hasWish({ strategy, shard }: WantedPlacement): boolean {
  return strategy !== undefined || shard !== undefined;
}

function describeOpen(move: PlacementMove): string {
  const { strategy, shardId } = move.placementOf('target');
  return `it is being moved to ${strategy} on ${shardId}. Repeat that move, or give it up with --cancel.`;
}
