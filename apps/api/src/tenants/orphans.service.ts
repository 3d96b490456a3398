import { Injectable } from '@nestjs/common';
import { currentContext, runInContext } from '#libs/context';
import { type FoundPlace, getEngine, runInSystemFrame } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { IsolationStrategies, type Placement, PlacementMoves, PlacementRecord, Tenant } from '#libs/tenancy';
import { CentralDatabase } from '../storage/central-database.js';
import { OrphanKeptError } from './orphan-kept.error.js';
import { TenantMoveService } from './tenant-move.service.js';

/**
 * Something that belongs to no tenant, or a tenant without what belongs to it.
 *
 * - `place`: a schema or a database of which the central database knows nothing
 * - `rows`: rows in shared tables, of a tenant of which it knows nothing
 * - `old place`, `fence`: what a move has left behind
 * - `missing place`: a tenant whose schema or database is not there. To be restored, or archived and purged
 */
export interface Orphan {
  readonly kind: 'place' | 'rows' | 'old place' | 'fence' | 'missing place';
  /** What to name it by: the name of the place, the tenant's id or its slug. */
  readonly name: string;
  readonly shard: string;
  /** When its tenant was signed up, or the move came so far. */
  readonly since: Date;
  readonly placement: Placement;
  /** The move that has left it, for what a move has left. */
  readonly moveId?: string;
}

const PLACE_NAME = /^tenant_([0-9a-f]{32})(?:_\d+)?$/;
/** A place comes before its tenant: what is younger may be of a sign-up that is under way. */
const YOUNGEST_MS = 3_600_000;

/** Finds what crashes and moves have left on the shards, and removes it one by one. */
@Injectable()
export class OrphansService {
  constructor(
    private readonly central: CentralDatabase,
    private readonly shards: ShardRegistry,
    private readonly strategies: IsolationStrategies,
    private readonly moves: PlacementMoves,
    private readonly mover: TenantMoveService,
  ) {}

  /** Asks every shard; one that is away is an error. */
  async list(): Promise<Orphan[]> {
    const em = this.central.orm.em.fork();
    const [placements, tenants, moves] = await Promise.all([
      em.find(PlacementRecord, {}),
      em.find(Tenant, {}, { fields: ['slug'] }),
      this.moves.list(),
    ]);
    const slugs = new Map(tenants.map(({ id, slug }) => [id, slug]));
    const ends = moves.flatMap((move) => [move.placementOf('source'), move.placementOf('target')]);
    // Of all shards: those on one server see each other's databases.
    const names = new Set([...placements, ...ends].map(nameOf));
    const orphans: Orphan[] = [];
    for (const shard of this.shards.ids) {
      const found = await this.#placesOn(shard);
      for (const place of found) {
        if (!names.has(place.name)) orphans.push(...this.#placeOf(shard, place));
      }
      for (const placement of placements.filter((it) => it.shardId === shard && nameOf(it) !== undefined)) {
        if (found.some(({ name }) => name === nameOf(placement))) continue;
        const name = slugs.get(placement.tenantId) ?? placement.tenantId;
        orphans.push({ kind: 'missing place', name, shard, since: signedUp(placement.tenantId), placement });
      }
      for (const id of await this.#tenantsWithRowsOn(shard)) {
        if (slugs.has(id)) continue;
        const placement: Placement = { tenantId: id, strategy: 'row', shardId: shard, epoch: 0, state: 'archived' };
        orphans.push({ kind: 'rows', name: id, shard, since: signedUp(id), placement });
      }
    }
    for (const move of moves.filter(({ stage }) => stage === 'served' || stage === 'fenced')) {
      const placement = move.placementOf('source');
      const kind = move.stage === 'served' ? 'old place' : 'fence';
      const name = nameOf(placement) ?? slugs.get(move.tenantId) ?? move.tenantId;
      orphans.push({ kind, name, shard: placement.shardId, since: move.since, placement, moveId: move.id });
    }
    return orphans;
  }

  /**
   * Removes one, for good. Looks once more whether it still is one.
   * @throws {OrphanKeptError} when there is no such orphan, it is too young, or a tenant wants it back
   */
  async remove(name: string, shard: string): Promise<void> {
    const found = (await this.list()).filter((it) => it.name === name && it.shard === shard);
    // A tenant whose place is missing may have left a fence as well.
    const orphan = found.find(({ kind }) => kind !== 'missing place') ?? found[0];
    if (!orphan) throw new OrphanKeptError(name, 'there is no such orphan.');
    if (orphan.kind === 'missing place') {
      throw new OrphanKeptError(name, 'its place is missing. Restore it, or archive and purge the tenant.');
    }
    const { tenantId: id, strategy } = orphan.placement;
    if (orphan.moveId !== undefined) {
      await this.mover.clearOld({ id, slug: name }, orphan.moveId);
      return;
    }
    if (Date.now() - orphan.since.getTime() < YOUNGEST_MS) {
      throw new OrphanKeptError(name, 'it is younger than an hour, and may be of a sign-up that is under way.');
    }
    await this.strategies.get(strategy, shard).drop(orphan.placement);
  }

  #placeOf(shardId: string, { kind, name }: FoundPlace): Orphan[] {
    const [, hex] = PLACE_NAME.exec(name) ?? [];
    if (hex === undefined) return [];
    const tenantId = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
    const names = kind === 'schema' ? { schemaName: name } : { databaseName: name };
    const placement: Placement = { tenantId, strategy: kind, shardId, ...names, epoch: 0, state: 'archived' };
    return [{ kind: 'place', name, shard: shardId, since: signedUp(tenantId), placement }];
  }

  #placesOn(shard: string): Promise<readonly FoundPlace[]> {
    const { url } = this.shards.definition(shard);
    const connection = this.shards.get(shard).driver.getConnection();
    return runInSystemFrame('list places', () =>
      getEngine(url).places.listPlaces(url, (sql) => connection.execute(sql)),
    );
  }

  /** Every tenant has an entry: that it was made. */
  #tenantsWithRowsOn(shard: string): Promise<string[]> {
    const { actor } = currentContext();
    const connection = this.shards.get(shard).driver.getConnection();
    return runInContext(actor ? { actor } : {}, () =>
      runInSystemFrame('list tenants with rows', async () => {
        const rows = await connection.execute<{ id: string }[]>('select distinct tenant_id as id from audit_entry');
        return rows.map(({ id }) => id);
      }),
    );
  }
}

const nameOf = ({ schemaName, databaseName }: Placement) => schemaName ?? databaseName ?? undefined;

/** Ids are UUIDs of version 7, which begin with the time. */
function signedUp(id: string): Date {
  return new Date(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16));
}
