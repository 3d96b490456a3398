import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { poolFiguresOf } from '#libs/persistence';
import { ShardRegistry, TransactionRecoverer } from '#libs/sharding';
import { CentralDatabase } from '../storage/central-database.js';
import { ShardMetrics } from './shard-metrics.js';

const PING_DEADLINE_MS = 1_000;
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const RETRIES = 'rowhouse:transaction:retry';
const AUDIT_GAPS = 'rowhouse:audit:gap';

/** One answered request, as it is counted. */
export interface CountedRequest {
  readonly method: string;
  /** Route pattern; `undefined` when no route matched. Never the URL: one per id would fill every memory. */
  readonly route: string | undefined;
  readonly status: number;
  readonly seconds: number;
}

/**
 * What Prometheus is told. No metric names a tenant: their number has no bound, and who is a customer, and how busy, is
 * nothing for a dashboard.
 */
@Injectable()
export class Metrics implements OnApplicationShutdown {
  /** Of this application, not the process-wide one: two applications in one process must not count for each other. */
  readonly #registry = new Registry();
  readonly #requests: Histogram<'method' | 'route' | 'status'>;
  /** Finding a child by its labels sorts and hashes them each time; by one string it is ten times as fast. */
  readonly #children = new Map<string, Histogram.Internal<'method' | 'route' | 'status'>>();
  readonly #retries: Counter;
  readonly #auditGaps: Counter;
  readonly #shardMetrics: ShardMetrics;
  readonly #shardUp: Gauge;
  readonly #shardPing: Gauge;
  readonly #pools: Gauge;
  readonly #countRetry = () => this.#retries.inc();
  readonly #countGap = () => this.#auditGaps.inc();
  #watchesProcess = false;

  constructor(
    private readonly shards: ShardRegistry,
    private readonly central: CentralDatabase,
    recoverer: TransactionRecoverer,
  ) {
    const registers = [this.#registry];
    this.#shardMetrics = new ShardMetrics(this.#registry, shards, recoverer);
    this.#requests = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'Time from the first byte of a request to the last of its answer.',
      labelNames: ['method', 'route', 'status'],
      buckets: SECONDS,
      registers,
    });
    this.#retries = new Counter({
      name: 'rowhouse_transaction_retries_total',
      help: 'Transactions that others were in the way of, and that were begun again.',
      registers,
    });
    this.#auditGaps = new Counter({
      name: 'rowhouse_audit_gaps_total',
      help: 'Transactions that were committed without their audit entries. Anything above 0 is an alarm.',
      registers,
    });
    const labelNames = ['shard'];
    this.#shardUp = new Gauge({
      name: 'rowhouse_shard_up',
      help: 'Whether the shard answers: 1 or 0.',
      labelNames,
      registers,
    });
    this.#shardPing = new Gauge({
      name: 'rowhouse_shard_ping_seconds',
      help: 'How long the shard took to answer just now.',
      labelNames,
      registers,
    });
    this.#pools = new Gauge({
      name: 'rowhouse_pool_connections',
      help: 'Connections of a pool: at most, in use; callers that wait for one, and that waited in vain since the start.',
      labelNames: ['database', 'role', 'state'],
      registers,
    });
    subscribe(RETRIES, this.#countRetry);
    subscribe(AUDIT_GAPS, this.#countGap);
  }

  onApplicationShutdown(): void {
    unsubscribe(RETRIES, this.#countRetry);
    unsubscribe(AUDIT_GAPS, this.#countGap);
  }

  count({ method, route = 'unmatched', status, seconds }: CountedRequest): void {
    const key = `${method} ${route} ${status}`;
    let child = this.#children.get(key);
    if (!child) {
      child = this.#requests.labels(method, route, String(status));
      this.#children.set(key, child);
    }
    child.observe(seconds);
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Everything as Prometheus text. The process is watched from the first time on: observers cost, and few look. */
  async render(): Promise<string> {
    if (!this.#watchesProcess) collectDefaultMetrics({ register: this.#registry });
    this.#watchesProcess = true;
    await this.#askShards();
    this.#askPools();
    this.#shardMetrics.collect();
    return this.#registry.metrics();
  }

  async #askShards(): Promise<void> {
    for (const { id, ok, ms } of await this.shards.pingAll(PING_DEADLINE_MS)) {
      this.#shardUp.set({ shard: id }, ok ? 1 : 0);
      this.#shardPing.set({ shard: id }, ms / 1000);
    }
  }

  #askPools(): void {
    for (const { id, orm } of [{ id: 'central', orm: this.central.orm }, ...this.shards.all()]) {
      for (const { role, max, inUse, waiting, timeouts } of poolFiguresOf(orm.driver)) {
        const states = { max, in_use: inUse, waiting, timed_out: timeouts };
        for (const [state, value] of Object.entries(states)) this.#pools.set({ database: id, role, state }, value);
      }
    }
  }
}
