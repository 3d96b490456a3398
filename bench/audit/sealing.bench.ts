import { setImmediate } from 'node:timers/promises';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { v7 as uuidv7 } from 'uuid';
import {
  AuditCheckpoint,
  AuditEntry,
  AuditErasure,
  AuditExporter,
  AuditHold,
  AuditKeyRing,
  AuditLog,
  type AuditModuleOptions,
  AuditPurge,
  AuditRecorder,
  AuditSeal,
  AuditSealer,
  AuditSubjectKey,
  AuditTrail,
  AuditVerifier,
  EmptyTenantRoster,
  FixedAuditKeys,
  PersonalKeys,
  SealScheduler,
  verifyExport,
} from '#libs/audit';
import { currentContext, runAs } from '#libs/context';
import {
  ChangeEventsSubscriber,
  CurrentEntityManager,
  type EngineName,
  engines,
  Money,
  runInSystemFrame,
} from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import type { Benchmark, Comparison, Contender } from '../benchmark.js';
import { Booking } from '../bulk/bulk-model.js';
import { type BenchDatabase, type BenchEngine, createDatabase, reachableEngines } from '../databases.js';

const WRITERS = 8;
const COMMITS_EACH = 100;
/** Commits per second must be at least 0.85 of those without sealing. */
const SEALING_BUDGET = 1 / 0.85;
const ENTRIES = 20_000;
const ENTRIES_PER_FLUSH = 1000;
const TRAIL = [AuditEntry, AuditLog, AuditSeal, AuditCheckpoint, AuditPurge, AuditHold, AuditSubjectKey];

const tenant = { id: uuidv7(), slug: 'acme' };
const UNIT_OF_WORK = Symbol('unit of work');

function asTenant<T>(work: () => Promise<T>): Promise<T> {
  const actor = { id: 'u-1', type: 'user', email: 'ada@acme.example' } as const;
  return runAs({ tenant, actor, route: '/v1/bookings', ip: '192.0.2.1', userAgent: 'bench/1' }, work);
}

/** A database with a trail; with keys, everything that seals it. */
interface Trail {
  readonly database: BenchDatabase;
  readonly verifier: AuditVerifier;
  readonly exporter: AuditExporter;
  readonly sealer: AuditSealer;
  /** Waits for what is being sealed, and seals the rest. */
  settle(): Promise<void>;
  /** Nothing is sealed afterwards. */
  stop(): Promise<void>;
}

/** @param isScheduled  whether commits are sealed behind the writers' backs */
async function open(engine: BenchEngine, isSealed: boolean, isScheduled = isSealed): Promise<Trail> {
  const options: AuditModuleOptions = {
    ...(isSealed && { keys: new FixedAuditKeys(AuditKeyRing.create()) }),
    onSealingError: (error) => console.error(error),
  };
  const recorder = new AuditRecorder(options);
  const onError = (error: unknown) => console.error(error);
  const database = await createDatabase(engine, [...TRAIL, Booking], {
    driver: guardedDriver(engines[engine.name]),
    entityManager: GuardedEntityManager,
    subscribers: [new ChangeEventsSubscriber({ subscribers: [recorder], onError })],
  });
  class Current extends CurrentEntityManager {
    get(): SqlEntityManager {
      return currentContext().resource(UNIT_OF_WORK, () => database.fork());
    }
  }
  const current = new Current();
  const sealer = new AuditSealer(current, options);
  const verifier = new AuditVerifier(current, sealer, options);
  const trail = new AuditTrail(current, options);
  const erasure = new AuditErasure(current, trail, new PersonalKeys());
  const heard = isScheduled ? recorder : new AuditRecorder(options);
  const scheduler = new SealScheduler(sealer, new EmptyTenantRoster(), erasure, heard, options);
  return {
    database,
    sealer,
    verifier,
    exporter: new AuditExporter(current, trail, sealer, verifier, options),
    stop: () => scheduler.beforeApplicationShutdown(),
    settle: async () => {
      await scheduler.sweep();
      if (isSealed) await asTenant(() => sealer.seal());
    },
  };
}

async function execute(database: BenchDatabase, sql: string): Promise<Record<string, unknown>[]> {
  return runInSystemFrame('prepare a benchmark', () => database.orm.em.getConnection().execute(sql));
}

let bookings = 0;

/** Each with a reference of its own. */
function aBooking() {
  bookings++;
  const amount = new Money(bookings, 'EUR');
  return { amount, reference: `b-${bookings}`, subject: `booking ${bookings}` } as never;
}

function writeOne({ database }: Trail): Promise<void> {
  return asTenant(async () => {
    const em = database.fork();
    em.create(Booking, aBooking());
    await em.flush();
  });
}

function writers(name: string, trail: Trail): Contender {
  return {
    name,
    prepare: () => trail.settle(),
    run: async () => {
      const writer = async () => {
        for (let index = 0; index < COMMITS_EACH; index++) {
          await writeOne(trail);
          // As after an answer over HTTP: without it SQLite's writers, who wait for no socket, let no timer have its turn.
          await setImmediate();
        }
      };
      await Promise.all(Array.from({ length: WRITERS }, writer));
    },
  };
}

async function compareCommits(engine: BenchEngine): Promise<Comparison> {
  const [plain, keyed, sealed] = [await open(engine, false), await open(engine, true, false), await open(engine, true)];
  const name = 'audited and sealed';
  return {
    title: `${engine.label}: ${WRITERS} writers × ${COMMITS_EACH} commits of one row`,
    control: writers('audited', plain),
    // Its entries are sealed between the rounds: what is left is what the writers themselves pay.
    contenders: [writers('audited with keys', keyed), writers(name, sealed)],
    budgets: { [name]: SEALING_BUDGET },
    rounds: 9,
    async remarks() {
      const late = performance.now();
      await sealed.settle();
      const lag = performance.now() - late;
      const verdict = await asTenant(() => sealed.verifier.verify());
      if (!verdict.ok) throw new Error(`The trail does not verify: ${verdict.fault?.detail}`);
      return [
        `${verdict.entries} entries verified; the last ones were sealed ${lag.toFixed(0)} ms after the last commit`,
      ];
    },
    async close() {
      for (const trail of [plain, keyed, sealed]) await trail.stop();
      for (const { database } of [plain, keyed, sealed]) await database.close();
    },
  };
}

/** Bytes of tables with their indexes. */
const SIZES: Readonly<Record<EngineName, (tables: string) => string>> = {
  sqlite: (tables) =>
    `select tbl_name as name, sum(pgsize) as bytes from dbstat join sqlite_master m on m.name = dbstat.name where tbl_name in (${tables}) group by tbl_name`,
  postgresql: (tables) =>
    `select relname as name, pg_total_relation_size(oid) as bytes from pg_class where relkind = 'r' and relname in (${tables})`,
  mariadb: (tables) =>
    `select table_name as name, data_length + index_length as bytes from information_schema.tables where table_schema = database() and table_name in (${tables})`,
  mysql: (tables) => SIZES.mariadb(tables),
};

async function sizeLine({ database }: Trail, engine: EngineName): Promise<string> {
  if (engine === 'mariadb' || engine === 'mysql') await execute(database, 'analyze table audit_entry, audit_seal');
  const rows = await execute(database, SIZES[engine]("'audit_entry', 'audit_seal'")).catch(() => []);
  const sizes = rows.map(({ name, bytes }) => `${name} ${Math.round(Number(bytes) / ENTRIES)}`);
  return `bytes an entry: ${sizes.sort().join(', ') || 'this build of SQLite does not tell'}`;
}

async function compareVerification(engine: BenchEngine): Promise<Comparison> {
  const trail = await open(engine, true);
  const { database, verifier, exporter } = trail;
  for (let flush = 0; flush < ENTRIES / ENTRIES_PER_FLUSH; flush++) {
    await asTenant(async () => {
      const em = database.fork();
      for (let row = 0; row < ENTRIES_PER_FLUSH; row++) {
        em.create(Booking, aBooking());
      }
      await em.flush();
    });
  }
  const started = performance.now();
  await trail.settle();
  const sealingMs = performance.now() - started;
  const lines: string[] = [];
  await asTenant(async () => {
    for await (const part of exporter.ndjson()) lines.push(...part.trimEnd().split('\n'));
  });
  const times = new Map<string, number[]>();
  const timed = (name: string, run: () => Promise<boolean>): Contender => ({
    name,
    async run() {
      const start = performance.now();
      if (!(await run())) throw new Error(`${name}: the trail does not verify`);
      times.set(name, [...(times.get(name) ?? []), performance.now() - start]);
    },
  });
  async function* offline() {
    yield* lines;
  }
  const perSecond = ([name, taken]: [string, number[]]) => {
    const middle = taken.toSorted((a, b) => a - b)[taken.length >> 1] ?? Number.NaN;
    return `${name}: ${Math.round(ENTRIES / (middle / 1000)).toLocaleString('en')} entries/s`;
  };
  return {
    title: `${engine.label}: ${ENTRIES} entries verified`,
    control: timed('in the database', () => asTenant(async () => (await verifier.verify()).ok)),
    contenders: [timed('an export, offline', async () => (await verifyExport(offline())).ok)],
    rounds: 5,
    async remarks() {
      const sealing = `sealed in batches: ${Math.round(ENTRIES / (sealingMs / 1000)).toLocaleString('en')} entries/s`;
      return [...[...times].map(perSecond), sealing, await sizeLine(trail, engine.name)];
    },
    async close() {
      await trail.stop();
      await database.close();
    },
  };
}

/** What sealing costs those who write, and how fast a trail is verified. */
export const auditSealing: Benchmark = {
  name: 'audit-sealing',
  about: 'commits while the trail is sealed in the background, and verification of a whole trail',
  async *comparisons() {
    for (const engine of reachableEngines()) {
      yield await compareCommits(engine);
      yield await compareVerification(engine);
    }
  },
};
