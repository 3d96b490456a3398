import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { CommitFailedError, type ShardId, ShardUnavailableError, type TransactionMode } from '#libs/sharding';
import { reachableEngines, type TestEngine } from '#libs/testing';
import type { Moment } from '../../support/tcp-proxy.js';
import { ANSWER_MS, aSpreadChange, CONNECT_MS } from './fault-shards.js';
import { FaultWorld } from './fault-world.js';

// Processes are started here, on machines that have other work to do.
jest.setTimeout(120_000);

/** A step of a commit, by what is on the wire: PostgreSQL's words, and XA's. */
const STEPS = {
  begin: /\bbegin\b|xa start/,
  write: /insert into .location/,
  prepare: /prepare transaction|xa prepare/,
  'write decision': /insert into shard_decision/,
  'commit home': /\bcommit\0|xa commit .* one phase/,
  'commit prepared': /commit prepared|xa commit/,
  commit: /\bcommit\b/,
} as const;
type Step = keyof typeof STEPS;

/** One fault, and what came of it. */
interface Row {
  readonly mode: TransactionMode;
  readonly home: string;
  readonly fault: string;
  readonly step: string;
  readonly moment: Moment;
  reported?: string;
  stored?: string;
}

const matrix: Row[] = [];
const engineOf = (name: string) => reachableEngines().find((engine) => engine.name === name);
const first = engineOf('postgresql') ?? engineOf('mariadb');
const second = engineOf('mariadb') ?? engineOf('postgresql');

/** What the caller heard. */
function describeOutcome(error: unknown): string {
  if (error === undefined) return 'done';
  if (!(error instanceof CommitFailedError)) return error instanceof ShardUnavailableError ? 'shard away' : 'failed';
  const parts = Object.entries(error.outcome).filter(([, ids]) => ids.length > 0);
  return parts.map(([name, ids]) => `${name} ${ids.join('+')}`).join(', ');
}

function describeStored(stored: Record<ShardId, boolean>): string {
  const ids = Object.keys(stored).filter((id) => stored[id]);
  return ids.length === 0 ? 'nothing' : ids.length === Object.keys(stored).length ? 'everything' : ids.join('+');
}

(first && second ? describe : describe.skip)('a fault in the middle of a commit', () => {
  const engines = [first, second, first] as TestEngine[];
  let world: FaultWorld;
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    // Kysely writes a line for each connection that comes to its end after nobody waits for it any more.
    jest.spyOn(console, 'error').mockImplementation(() => undefined);
    world = await FaultWorld.open(engines);
    // The table of decisions is there, and the pools are filled.
    for (const [homeShard, shards] of [
      ['left', world.shaky],
      ['right', world.hasty],
    ] as const) {
      await aSpreadChange(shards, world.ids, world.nextId()).flush({ mode: 'atomic', homeShard });
    }
  });
  afterAll(async () => {
    for (const child of children) child.kill('SIGKILL');
    await world?.close();
    jest.restoreAllMocks();
    process.stderr.write(`\n${renderMatrix(matrix)}\n`);
  });

  const engineName = (shard: ShardId) => engines[world.ids.indexOf(shard)]?.name as string;

  /** Lets `fault` happen to `shard` at a step of a flush, heals, and tells how the flush ended. */
  async function flushWith(
    row: Omit<Row, 'home'>,
    shard: ShardId,
    homeShard: ShardId,
    fault: (shard: ShardId) => void,
    ids: readonly ShardId[] = world.ids,
  ) {
    const id = world.nextId();
    const em = aSpreadChange(row.fault === 'hang' ? world.hasty : world.shaky, ids, id);
    const proxy = world.proxy(shard);
    proxy.trap(STEPS[row.step as Step], row.moment, () => fault(shard));
    const start = performance.now();
    const error = await em.flush({ mode: row.mode, homeShard }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    const ms = performance.now() - start;
    expect(proxy.isArmed).toBe(false);
    world.heal();
    const home = row.mode === 'single' ? engineName(shard) : engineName(homeShard);
    matrix.push({ ...row, home, reported: describeOutcome(error) });
    return { id, error, ms, entry: matrix.at(-1) as Row };
  }

  /** The error says of every shard what has become of it; of the one that broke it cannot. */
  function expectTold(error: unknown, broken: ShardId, stored: Record<ShardId, boolean>): void {
    expect(error).toBeInstanceOf(CommitFailedError);
    const { outcome } = error as CommitFailedError;
    expect(outcome.unknown).toEqual([broken]);
    for (const it of outcome.committed) expect(stored[it]).toBe(true);
    for (const it of [...outcome.failed, ...outcome.rolledBack]) expect(stored[it]).toBe(false);
  }

  const cut = (shard: ShardId) => world.proxy(shard).cut();
  const hang = (shard: ShardId) => world.proxy(shard).hang();
  const moments: readonly Moment[] = ['before', 'after'];

  describe.each(['left', 'right'])('in the mode single, on shard %s', (shard) => {
    for (const step of ['begin', 'write', 'commit'] as const) {
      it.each(moments)(
        `${step}: is reported when the connection breaks %s it, and stores all or nothing`,
        async (moment) => {
          const row = { mode: 'single' as const, fault: 'cut', step, moment };
          const { id, error, entry } = await flushWith(row, shard, shard, cut, [shard]);
          expect(error).toMatchObject({ code: 'shard_unavailable', shardId: shard });
          const { [shard]: isStored } = await world.stored(id);
          entry.stored = describeStored({ [shard]: isStored as boolean });
          expect(isStored).toBe(step === 'commit' && moment === 'after');
        },
      );
    }

    it.each(moments)('commit: costs the time for an answer and no more when the shard hangs %s it', async (moment) => {
      const row = { mode: 'single' as const, fault: 'hang', step: 'commit', moment };
      const { id, error, ms, entry } = await flushWith(row, shard, shard, hang, [shard]);
      expect(ms).toBeLessThan(ANSWER_MS + 5_000);
      expect(error).toMatchObject({ code: 'shard_unavailable', shardId: shard });
      const { [shard]: isStored } = await world.stored(id);
      entry.stored = describeStored({ [shard]: isStored as boolean });
      expect(isStored).toBe(moment === 'after');
    });
  });

  describe.each([
    ['left', 'right'],
    ['right', 'left'],
  ])('in the mode multi, with home shard %s, to shard %s', (homeShard, other) => {
    const steps = [
      ['begin', other],
      ['write', other],
      ['write', homeShard],
      ['commit', other],
      ['commit', homeShard],
    ] as const;
    for (const [step, shard] of steps) {
      it.each(moments)(`${step} on ${shard}: names what is stored when the connection breaks %s it`, async (moment) => {
        const row = { mode: 'multi' as const, fault: 'cut', step: `${step}`, moment };
        const { id, error, entry } = await flushWith(row, shard, homeShard, cut, [homeShard, other]);
        const stored = await world.stored(id);
        entry.stored = describeStored({ [homeShard]: !!stored[homeShard], [other]: !!stored[other] });
        Object.assign(entry, { step: `${step} ${shard === homeShard ? 'home' : 'other'}` });
        if (step !== 'commit') {
          expect(error).toMatchObject({ code: 'shard_unavailable', shardId: shard });
          expect(stored).toEqual({ left: false, right: false, third: false });
          return;
        }
        expectTold(error, shard, stored);
      });
      if (step !== 'commit') continue;
      it.each(moments)(
        `commit on ${shard}: costs the time for an answer and no more when it hangs %s it`,
        async (moment) => {
          const row = { mode: 'multi' as const, fault: 'hang', step: 'commit', moment };
          const { id, error, ms, entry } = await flushWith(row, shard, homeShard, hang, [homeShard, other]);
          expect(ms).toBeLessThan(ANSWER_MS + 5_000);
          const stored = await world.stored(id);
          entry.stored = describeStored({ [homeShard]: !!stored[homeShard], [other]: !!stored[other] });
          Object.assign(entry, { step: `commit ${shard === homeShard ? 'home' : 'other'}` });
          expectTold(error, shard, stored);
        },
      );
    }
  });

  describe.each([
    ['left', 'right'],
    ['right', 'left'],
  ])('in the mode atomic, with home shard %s, to shard %s', (homeShard, other) => {
    const steps: [Step, ShardId][] = [
      ['begin', other],
      ['write', other],
      ['write', homeShard],
      ['prepare', other],
      ['write decision', homeShard],
      ['commit home', homeShard],
      ['commit prepared', other],
    ];

    /** After recovery all shards agree, and agree with what the caller heard. */
    async function expectAgreement(id: number, entry: Row, error: unknown): Promise<void> {
      await world.recover();
      const stored = await world.stored(id);
      entry.stored = describeStored(stored);
      expect(['nothing', 'everything']).toContain(entry.stored);
      if (error === undefined) expect(entry.stored).toBe('everything');
      else if (!(error instanceof CommitFailedError)) expect(entry.stored).toBe('nothing');
    }

    for (const [step, shard] of steps) {
      it.each(moments)(`${step} on ${shard}: all shards agree when the connection breaks %s it`, async (moment) => {
        const { id, error, entry } = await flushWith(
          { mode: 'atomic', fault: 'cut', step, moment },
          shard,
          homeShard,
          cut,
        );
        await expectAgreement(id, entry, error);
        // Another connection of the home shard knows what was decided: nobody is left in the dark.
        expect(error).not.toBeInstanceOf(CommitFailedError);
      });

      // Before them nothing is prepared yet, and `patience.spec.ts` has what a statement costs.
      if (step === 'begin' || step === 'write') continue;
      it(`${step} on ${shard}: costs the time for an answer and no more when the shard hangs, and all agree`, async () => {
        const row = { mode: 'atomic' as const, fault: 'hang', step, moment: 'after' as const };
        const { id, error, ms, entry } = await flushWith(row, shard, homeShard, hang);
        // When the home shard hangs on its commit, it is asked once more, on a connection that does not open.
        const limit = step === 'commit home' ? ANSWER_MS + CONNECT_MS : ANSWER_MS;
        // Far less than the half minute that others have here.
        expect(ms).toBeLessThan(limit + 5_000);
        await expectAgreement(id, entry, error);
        if (step === 'commit home') {
          expect(error).toMatchObject({ outcome: { committed: [], failed: [], rolledBack: [] } });
          expect([...(error as CommitFailedError).outcome.unknown].sort()).toEqual([...world.ids].sort());
        }
      });

      it(`${step} on ${shard}: all shards agree when the server ends the session before it`, async () => {
        const row = { mode: 'atomic' as const, fault: 'session ended', step, moment: 'before' as const };
        const { id, error, entry } = await flushWith(row, shard, homeShard, (it) => void world.endSessions(it));
        await expectAgreement(id, entry, error);
        expect(error).not.toBeInstanceOf(CommitFailedError);
      });
    }

    let next: Promise<ChildProcess> | undefined;
    const deadly: [Step, ShardId, Moment][] = [
      ['write', other, 'after'],
      ['prepare', other, 'before'],
      ['prepare', other, 'after'],
      ['write decision', homeShard, 'before'],
      ['write decision', homeShard, 'after'],
      ['commit home', homeShard, 'before'],
      ['commit home', homeShard, 'after'],
      ['commit prepared', other, 'before'],
      ['commit prepared', other, 'after'],
    ];

    async function startChild(): Promise<ChildProcess> {
      const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
      const child = fork(file('atomic-child.ts'), {
        execArgv: [
          '--conditions=source',
          '--disable-warning=ExperimentalWarning',
          '--import',
          file('../../../bench/source-hooks.mjs'),
        ],
        env: { ...process.env, FAULT_SHARDS: JSON.stringify(world.shakyUrls) },
      });
      children.push(child);
      const ended = once(child, 'exit').then(() => Promise.reject(new Error('The process ended before it was ready.')));
      await Promise.race([once(child, 'message'), ended]);
      return child;
    }

    it.each(deadly)('%s on %s: all shards agree when the process is killed %s it', async (step, shard, moment) => {
      const child = await (next ?? startChild());
      // The next one starts while this one works.
      next = step === 'commit prepared' && moment === 'after' ? undefined : startChild();
      const id = world.nextId();
      const exited = once(child, 'exit');
      world.proxy(shard).trap(STEPS[step], moment, () => child.kill('SIGKILL'));
      child.send({ homeShard, id });
      await exited;
      expect(world.proxy(shard).isArmed).toBe(false);
      world.heal();
      const entry: Row = {
        mode: 'atomic',
        home: engineName(homeShard),
        fault: 'kill',
        step,
        moment,
        reported: '(dead)',
      };
      matrix.push(entry);
      await expectAgreement(
        id,
        entry,
        new CommitFailedError({ committed: [], failed: [], unknown: [], rolledBack: [] }),
      );
      const isDecided = step === 'commit prepared' || (step === 'commit home' && moment === 'after');
      expect(entry.stored).toBe(isDecided ? 'everything' : 'nothing');
    });
  });
});

/** Which fault, at which step, and what is stored afterwards: columns of one width. */
function renderMatrix(rows: readonly Row[]): string {
  const head = ['mode', 'home on', 'fault', 'moment', 'step', 'the caller heard', 'stored'];
  const lines = rows.map((row) => [row.mode, row.home, row.fault, row.moment, row.step, row.reported, row.stored]);
  const table = [head, ...lines.map((line) => line.map((cell) => cell ?? 'FAILED'))];
  const widths = head.map((_, column) => Math.max(...table.map((line) => (line[column] as string).length)));
  return table
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] as number))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
