import type { MikroORM } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { migrationsOf } from '#database/migrations';
import { getEngine, runInSystemFrame } from '#libs/persistence';
import { ShardRegistry } from '#libs/sharding';
import { IsolationStrategies } from '#libs/tenancy';
import { CentralDatabase } from './central-database.js';
import { type OwnPlace, TenantPlaces } from './tenant-places.js';

/** How far one database, or one tenant's place, is. */
export interface MigrationState {
  /** `central`, a shard id, or `tenant <slug>`. */
  readonly id: string;
  /** Names of the migrations that have run, oldest first; empty when that could not be read. */
  readonly ran: readonly string[];
  /** Names of those that have not. */
  readonly pending: readonly string[];
  /** Why it could not be read. */
  readonly error?: unknown;
}

/** Places read at the same time. */
const AT_ONCE = 4;

/** Tells which migrations have run where. Changes nothing but makes the ledger of a database where it is missing. */
@Injectable()
export class MigrationStates {
  constructor(
    private readonly central: CentralDatabase,
    private readonly shards: ShardRegistry,
    private readonly strategies: IsolationStrategies,
    private readonly places: TenantPlaces,
  ) {}

  /**
   * The central database, every shard, and every place of a single tenant. What cannot be read says why, and the others are
   * read all the same. Who has a place is known once the central database is up to date; until then there are none in the answer.
   */
  async read(): Promise<MigrationState[]> {
    const central = await readDatabase('central', this.central.orm as MikroORM);
    const states = [central];
    for (const { id, orm } of this.shards.all()) states.push(await readDatabase(id, orm as MikroORM));
    if (central.error !== undefined || central.pending.length > 0) return states;
    return [...states, ...(await this.#readPlaces())];
  }

  /** In the order of the tenants' sign-up. */
  async #readPlaces(): Promise<MigrationState[]> {
    const places = await this.places.list();
    const states: MigrationState[] = [];
    const left = places.entries();
    const takeNext = async () => {
      for (const [at, place] of left) states[at] = await stateOf(`tenant ${place.slug}`, () => this.#readPlace(place));
    };
    await Promise.all(Array.from({ length: AT_ONCE }, takeNext));
    return states;
  }

  async #readPlace({ placement }: OwnPlace) {
    const ran = await this.strategies.readLedger(placement);
    const known = migrationsOf('tenant', getEngine(this.shards.definition(placement.shardId).url).name);
    return { ran, pending: known.map(({ name }) => name).filter((name) => !ran.includes(name)) };
  }
}

function readDatabase(id: string, { migrator }: MikroORM): Promise<MigrationState> {
  return stateOf(id, () =>
    runInSystemFrame(`read migrations of ${id}`, async () => {
      const ran = await migrator.getExecuted();
      const pending = await migrator.getPending();
      return { ran: ran.map(({ name }) => name), pending: pending.map(({ name }) => name) };
    }),
  );
}

function stateOf(id: string, read: () => Promise<Omit<MigrationState, 'id'>>): Promise<MigrationState> {
  return read().then(
    (state) => ({ id, ...state }),
    (error: unknown) => ({ id, ran: [], pending: [], error }),
  );
}
