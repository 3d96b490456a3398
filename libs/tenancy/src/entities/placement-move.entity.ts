import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { newId } from '#libs/persistence';
import type { Placement } from '../placement.js';

/** The names of a place, as a placement holds them. */
export type PlaceOfMove = Pick<Placement, 'strategy' | 'shardId' | 'schemaName' | 'databaseName'>;

/** How far a move is. See `PlacementMove`. */
export type MoveStage = 'copying' | 'cancelling' | 'switched' | 'served' | 'fenced';

/**
 * A move of a tenant's rows from one place to another, for as long as anything is left to do. Lives in the central database.
 *
 * - `copying`: the rows are at `source`, whatever is at `target` is worth nothing yet
 * - `cancelling`: like `copying`, and there is no way forward any more
 * - `switched`: the rows are at `target`, and cannot be changed yet; what is at `source` is old
 * - `served`: the rows are at `target`, and work is done there
 * - `fenced`: nothing is left at `source` but the fence, which is there for work that began before the move and has not ended
 */
@Entity({ tableName: 'placement_move' })
export class PlacementMove {
  @PrimaryKey({ type: 'uuid' })
  readonly id: string & Opt = newId();

  @Index()
  @Property({ type: 'uuid' })
  readonly tenantId: string;

  /** JSON of `PlaceOfMove`. */
  @Property({ type: 'string', length: 500 })
  readonly source: string;

  /** Like `source`. */
  @Property({ type: 'string', length: 500 })
  readonly target: string;

  @Property({ type: 'string', length: 20 })
  stage: MoveStage & Opt = 'copying';

  /** UTC, clock of the process that moved it. Of the stage. */
  @Property({ type: 'Date', length: 3 })
  since: Date & Opt = new Date();

  /**
   * Random, of the one who works on it. Whoever goes on with a move makes a new one, and who had it before can change nothing
   * any more, wherever it is stuck: the lock that keeps movers apart is lost with the connection that it hangs on.
   */
  @Property({ type: 'uuid', nullable: true })
  claim: (string & Opt) | null = newId();

  constructor(tenantId: string, source: PlaceOfMove, target: PlaceOfMove) {
    this.tenantId = tenantId;
    this.source = JSON.stringify(namesOf(source));
    this.target = JSON.stringify(namesOf(target));
  }

  /** Either end as a placement, for whoever works there. */
  placementOf(end: 'source' | 'target'): Placement {
    const names = JSON.parse(this[end]) as PlaceOfMove;
    return { ...names, tenantId: this.tenantId, epoch: 0, state: 'moving' };
  }
}

/** Where a placement leads to, and nothing else of it. */
export function namesOf({ strategy, shardId, schemaName, databaseName }: PlaceOfMove): PlaceOfMove {
  return {
    strategy,
    shardId,
    ...(schemaName !== undefined && schemaName !== null && { schemaName }),
    ...(databaseName !== undefined && databaseName !== null && { databaseName }),
  };
}
