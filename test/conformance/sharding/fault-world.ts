import { type ShardDefinition, type ShardId, type ShardRegistry, TransactionRecoverer } from '#libs/sharding';
import { createTestDatabase, type TestDatabase, type TestEngine } from '#libs/testing';
import { TcpProxy } from '../../support/tcp-proxy.js';
import { ANSWER_MS, openShards } from './fault-shards.js';
import { Location } from './weather.model.js';

/** Three databases, each behind a proxy that can lose it, and the way past the proxies. */
export class FaultWorld {
  readonly ids: readonly ShardId[] = ['left', 'right', 'third'];
  readonly #databases: TestDatabase[] = [];
  readonly #proxies = new Map<ShardId, TcpProxy>();
  readonly #recoverer: TransactionRecoverer;
  #nextId = 1;

  private constructor(
    /** Through the proxies. */
    readonly shaky: ShardRegistry,
    /** Through the proxies, with little patience. */
    readonly hasty: ShardRegistry,
    /** Past them: what another process sees. */
    readonly steady: ShardRegistry,
    readonly shakyUrls: readonly ShardDefinition[],
  ) {
    this.#recoverer = new TransactionRecoverer({ shards: steady, graceMs: 0 });
  }

  static async open(engines: readonly TestEngine[]): Promise<FaultWorld> {
    const ids = ['left', 'right', 'third'];
    const databases = await Promise.all(engines.map((engine) => createTestDatabase(engine)));
    const proxies = await Promise.all(databases.map(({ url }) => TcpProxy.before(url)));
    const at = (urlOf: (index: number) => string) => ids.map((id, index) => ({ id, url: urlOf(index) }));
    const steady = at((index) => databases[index]?.url as string);
    const shaky = at((index) => proxies[index]?.through(databases[index]?.url as string) as string);
    const world = new FaultWorld(openShards(shaky), openShards(shaky, ANSWER_MS), openShards(steady), shaky);
    world.#databases.push(...databases);
    for (const [index, id] of ids.entries()) world.#proxies.set(id, proxies[index] as TcpProxy);
    for (const { orm } of world.steady.all()) await orm.schema.create();
    return world;
  }

  async close(): Promise<void> {
    await Promise.all([this.shaky, this.hasty, this.steady].map((registry) => registry.close()));
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.stop()));
    await Promise.all(this.#databases.map((database) => database.drop()));
  }

  proxy(id: ShardId): TcpProxy {
    return this.#proxies.get(id) as TcpProxy;
  }

  /** An id that no location has. */
  nextId(): number {
    return this.#nextId++;
  }

  /** Everything answers again; broken connections are cut, so that the next one is a new one. */
  heal(): void {
    for (const proxy of this.#proxies.values()) {
      proxy.disarm();
      proxy.answerAgain();
      proxy.cut();
    }
  }

  /** The server of a shard ends all sessions that come through the proxy and are in a transaction. */
  async endSessions(id: ShardId): Promise<void> {
    const em = this.steady.entityManager(id);
    if (this.steady.definition(id).url.startsWith('postgresql:')) {
      await em.execute(
        'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() ' +
          "and pid <> pg_backend_pid() and state <> 'idle'",
      );
      return;
    }
    const sessions = await em.execute<{ id: number }[]>(
      'select trx_mysql_thread_id as id from information_schema.innodb_trx join information_schema.processlist ' +
        'on id = trx_mysql_thread_id where db = database() and id <> connection_id()',
    );
    for (const session of sessions) await em.execute(`kill ${Number(session.id)}`).catch(() => undefined);
  }

  /** Runs the recoverer until nothing is in doubt. A server takes a moment to see that a session is gone. */
  async recover(): Promise<void> {
    for (let tries = 0; tries < 200; tries++) {
      const { inDoubt, missing } = await this.#recoverer.recover();
      if (inDoubt === 0 && missing.length === 0) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    throw new Error('Branches stay in doubt.');
  }

  /** Whether location `id` is stored, by shard. Waits for what still holds its lock. */
  async stored(id: number): Promise<Record<ShardId, boolean>> {
    const found = await Promise.all(
      this.ids.map(async (shard) => [shard, (await this.steady.entityManager(shard).count(Location, { id })) === 1]),
    );
    return Object.fromEntries(found);
  }
}
