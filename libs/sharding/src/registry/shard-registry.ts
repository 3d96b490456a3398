import { type ForkOptions, type Options, Utils } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { type Engine, type EngineName, getEngine } from '#libs/persistence';
import { InvalidShardsError } from '../errors/invalid-shards.error.js';
import { ShardClosedError } from '../errors/shard-closed.error.js';
import { UnknownShardError } from '../errors/unknown-shard.error.js';
import { closeForGood, connectionsOf, connectOnce, nameFailures } from './connection-gate.js';
import { ShardCounter, type ShardFigures } from './shard-counter.js';
import type { ShardDefinition, ShardId } from './shard-definition.js';
import { ShardGate } from './shard-gate.js';
import { probe, type ShardHealth } from './shard-health.js';
import { DEFAULT_PATIENCE, type ShardPatience } from './shard-patience.js';
import { type ShardOrm, SharedDiscovery } from './shared-discovery.js';

/** What a registry is made from. */
export interface ShardRegistryOptions {
  /** At least one; ids are unique. The order is the order of fan-outs, commits and reports. */
  readonly shards: readonly ShardDefinition[];
  /**
   * MikroORM options of one shard: entities, subscribers, EntityManager class, driver. Called once per shard, when it is
   * first used. The entities, naming strategy and driver must be the same for all shards of one engine, which share
   * their metadata. `contextName` is set by the registry; `replicas` too, unless given.
   */
  readonly ormOptions: (shard: ShardDefinition) => Options<AbstractSqlDriver>;
  /** How long shards that are servers are waited for. */
  readonly patience?: ShardPatience;
}

/** An ORM beside a shard's own: the same server, but another database, another model, or a pool of its own. */
export interface BesideOptions {
  /** Tells it from others beside the same shard; part of its `contextName`. */
  readonly name: string;
  /** Default: the shard's. Must be of the same engine. */
  readonly url?: string;
  /** Instances of one engine and model share one metadata discovery. Default: the model of the shards themselves. */
  readonly model?: string;
  readonly ormOptions: Options<AbstractSqlDriver>;
}

/**
 * Every shard of the process: one MikroORM instance per shard, made at first use, and one metadata discovery per engine.
 * Nothing here waits for a database except `open`, `ping` and `close`.
 *
 * @example
 * const shards = new ShardRegistry({ shards: parseShards(env.SHARDS), ormOptions: ({ url }) => ormOptions(url, { entities }) });
 * const em = shards.entityManager('shard-1');
 */
export class ShardRegistry {
  /** Ids in configured order. */
  readonly ids: readonly ShardId[];
  readonly #options: ShardRegistryOptions;
  readonly #definitions: ReadonlyMap<ShardId, ShardDefinition>;
  readonly #orms = new Map<ShardId, ShardOrm>();
  readonly #beside = new Map<ShardOrm, ShardId>();
  readonly #counters = new Map<ShardId, ShardCounter>();
  readonly #gates = new Map<ShardId, ShardGate>();
  readonly #discoveries = new Map<string, SharedDiscovery>();
  #closed = false;

  /** @throws {InvalidShardsError} without a shard, or when two have one id */
  constructor(options: ShardRegistryOptions) {
    this.#options = options;
    this.#definitions = new Map(options.shards.map((shard) => [shard.id, shard]));
    this.ids = [...this.#definitions.keys()];
    if (this.ids.length === 0) throw new InvalidShardsError(['There is no shard.']);
    if (this.ids.length < options.shards.length) throw new InvalidShardsError(['Two shards have one id.']);
  }

  /** Whether a shard is configured under this id. */
  has(id: ShardId): boolean {
    return this.#definitions.has(id);
  }

  /** @throws {UnknownShardError} */
  definition(id: ShardId): ShardDefinition {
    const definition = this.#definitions.get(id);
    if (!definition) throw new UnknownShardError(id, this.ids);
    return definition;
  }

  /**
   * The MikroORM instance of a shard, made now if need be. Synchronous; connects at its first statement.
   * Its schema generator and migrator are there as far as `ormOptions` passes their `extensions`.
   *
   * @throws {UnknownShardError}
   * @throws {ShardClosedError} after `close()`
   */
  get(id: ShardId): ShardOrm {
    return this.#orms.get(id) ?? this.#create(this.definition(id));
  }

  /**
   * A new unit of work on one shard; a few microseconds, no connection. It is bound to that shard for good: whatever
   * transaction or request is current, also of another shard, does not redirect it.
   *
   * @throws {UnknownShardError}
   * @throws {ShardClosedError} after `close()`
   */
  entityManager(id: ShardId, options?: ForkOptions): SqlEntityManager {
    return this.get(id).em.fork({ ...options, disableContextResolution: true, useContext: false }) as SqlEntityManager;
  }

  /** Every shard's instance, in configured order, made now if need be. */
  all(): { readonly id: ShardId; readonly orm: ShardOrm }[] {
    return this.ids.map((id) => ({ id, orm: this.get(id) }));
  }

  /**
   * Connects a shard now instead of at its first statement. Reports a database that cannot be reached on the engines
   * that connect eagerly (sqlite); for the others ask `ping`.
   *
   * @throws {UnknownShardError}
   */
  async open(id: ShardId): Promise<ShardOrm> {
    const orm = this.get(id);
    await orm.connect();
    return orm;
  }

  /**
   * Asks one shard whether it answers. Never throws for a database that does not; the probe that hangs is not repeated
   * until it ends, so that a dead shard costs one connection however often it is asked.
   *
   * @throws {UnknownShardError}
   */
  ping(id: ShardId, deadlineMs: number): Promise<ShardHealth> {
    return probe(id, this.get(id), deadlineMs);
  }

  /** `ping` of every shard at the same time, in configured order: it lasts as long as the slowest, at most `deadlineMs`. */
  pingAll(deadlineMs: number): Promise<ShardHealth[]> {
    return Promise.all(this.ids.map((id) => this.ping(id, deadlineMs)));
  }

  /** What each shard has done since the process started, and how it is, in configured order. Asks nobody. */
  figures(): ShardFigures[] {
    return this.ids.map((id) => {
      const { statements = 0, errors = 0, connectionsInUse = 0 } = this.#counters.get(id) ?? {};
      return { id, statements, errors, connectionsInUse, circuit: this.#gates.get(id)?.circuit ?? 'closed' };
    });
  }

  /**
   * An instance beside a shard's own, with the same patience and the same names for failures. Synchronous; connects at its
   * first statement. Whoever makes it closes it; `close()` of the registry closes the rest.
   *
   * @throws {UnknownShardError}
   * @throws {ShardClosedError} after `close()`
   */
  createBeside(id: ShardId, { name, url, model, ormOptions }: BesideOptions): ShardOrm {
    const definition = { id, url: url ?? this.definition(id).url };
    const orm = this.#make(definition, ormOptions, `${id}/${name}`, model);
    this.#beside.set(orm, id);
    return orm;
  }

  /** Closes what `createBeside` made, for good: an EntityManager of it that somebody kept throws. May be called twice. */
  async closeBeside(orm: ShardOrm): Promise<void> {
    const id = this.#beside.get(orm);
    if (id === undefined) return;
    this.#beside.delete(orm);
    await closeForGood(orm, id);
  }

  /** Closes every pool, for good; open transactions are cut off. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    const orms = [...[...this.#orms].map(([id, orm]) => [orm, id] as const), ...this.#beside];
    this.#orms.clear();
    this.#beside.clear();
    await Promise.all(orms.map(([orm, id]) => closeForGood(orm, id)));
  }

  #create(definition: ShardDefinition): ShardOrm {
    const replicas = definition.replicaUrls?.map((url) => getEngine(url).connectionOptions(url));
    const given = this.#options.ormOptions(definition);
    const options = { ...(replicas?.length ? { replicas } : {}), ...given } as Options<AbstractSqlDriver>;
    // Transactions are looked up by this name: under a common one, shard 2 would join the transaction of shard 1.
    const orm = this.#make(definition, options, definition.id);
    this.#orms.set(definition.id, orm);
    return orm;
  }

  #make({ id, url }: ShardDefinition, given: Options<AbstractSqlDriver>, contextName: string, model = ''): ShardOrm {
    if (this.#closed) throw new ShardClosedError(id);
    const engine = getEngine(url);
    const patience = { ...DEFAULT_PATIENCE, ...this.#options.patience };
    const orm = this.#discoveryOf(engine.name, model).create({
      ...given,
      ...withinPatience(given, engine, patience),
      contextName,
    } as Options<AbstractSqlDriver>);
    connectOnce(orm);
    nameFailures(orm, id);
    const counter = this.#counters.get(id) ?? new ShardCounter();
    this.#counters.set(id, counter);
    for (const connection of connectionsOf(orm)) {
      counter.install(connection);
      if (!engine.wire) continue;
      const gate = new ShardGate(id, connection, engine.wire, patience);
      gate.install();
      // The first of a shard's own instance is its primary, whose state is the shard's.
      if (contextName === id && !this.#gates.has(id)) this.#gates.set(id, gate);
    }
    return orm;
  }

  #discoveryOf(engine: EngineName, model: string): SharedDiscovery {
    const key = `${engine} ${model}`;
    const discovery = this.#discoveries.get(key) ?? new SharedDiscovery();
    this.#discoveries.set(key, discovery);
    return discovery;
  }
}

/** Driver options that bound the opening of connections; what the caller gave is left alone, and may be no options at all. */
function withinPatience(
  { driverOptions = {} }: Options<AbstractSqlDriver>,
  { wire }: Engine,
  { connectMs }: Required<ShardPatience>,
): Partial<Options<AbstractSqlDriver>> {
  if (!wire || !Utils.isPlainObject(driverOptions)) return {};
  return { driverOptions: { ...wire.openWithin(connectMs), ...driverOptions } };
}
