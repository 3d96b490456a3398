import { Counter, Gauge, type Registry } from 'prom-client';
import type { CircuitState, ShardRegistry, TransactionRecoverer } from '#libs/sharding';

const STATES: readonly CircuitState[] = ['closed', 'half-open', 'open'];

/** Figures per shard: what it has done, whether callers get through, and what a crash has left in doubt on it. */
export class ShardMetrics {
  readonly #statements: Counter<'shard'>;
  readonly #errors: Counter<'shard'>;
  readonly #inUse: Gauge<'shard'>;
  readonly #circuit: Gauge<'shard' | 'state'>;
  readonly #inDoubt: Gauge<'shard'>;
  readonly #oldest: Gauge<'shard'>;

  constructor(
    registry: Registry,
    private readonly shards: ShardRegistry,
    private readonly recoverer: TransactionRecoverer,
  ) {
    const about = (name: string, help: string) => ({
      name: `rowhouse_shard_${name}`,
      help,
      labelNames: ['shard'] as const,
      registers: [registry],
    });
    this.#statements = new Counter(about('statements_total', 'Statements sent to the shard by this process.'));
    this.#errors = new Counter(about('errors_total', 'Statements of this process that failed, for whatever reason.'));
    this.#inUse = new Gauge(about('connections_in_use', 'Connections to the shard in use at this moment.'));
    this.#circuit = new Gauge({
      ...about('circuit', 'Whether callers get through: 1 for the state that holds.'),
      labelNames: ['shard', 'state'],
    });
    this.#inDoubt = new Gauge(about('in_doubt_branches', 'Prepared transactions that nobody has finished yet.'));
    this.#oldest = new Gauge(
      about('in_doubt_oldest_seconds', 'Age of the oldest of them. Above a minute is an alarm.'),
    );
  }

  /** Takes the figures as they are now. */
  collect(): void {
    this.#statements.reset();
    this.#errors.reset();
    for (const { id: shard, statements, errors, connectionsInUse, circuit } of this.shards.figures()) {
      this.#statements.inc({ shard }, statements);
      this.#errors.inc({ shard }, errors);
      this.#inUse.set({ shard }, connectionsInUse);
      for (const state of STATES) this.#circuit.set({ shard, state }, state === circuit ? 1 : 0);
    }
    for (const { id: shard, branches, oldestMs } of this.recoverer.figures()) {
      this.#inDoubt.set({ shard }, branches);
      this.#oldest.set({ shard }, oldestMs / 1000);
    }
  }
}
