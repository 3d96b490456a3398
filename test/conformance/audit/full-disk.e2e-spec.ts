import { randomBytes, randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { AuditKeyRing, AuditRecorder, AuditSealer, AuditTrail, AuditVerifier, FixedAuditKeys } from '#libs/audit';
import { ChangeEventsSubscriber, engines, ormOptions, runInSystemFrame } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { reachableEngines, type TestEngine } from '#libs/testing';
import { aSmallDisk, type SmallDisk, whyNoSmallDisk } from '../../support/small-disk.js';
import { Account, auditModel } from './audit.model.js';
import { AuditWorld, ContextEntityManager } from './audit-world.js';

/** What every engine's error is called, whatever its driver says. */
const FULL = 'storage_full';
const codeOf = (error: unknown) => String((error as { code?: unknown }).code ?? error);
/** So many refusals show that it is full, and not for an entry of one size alone. */
const REFUSALS = 60;

const checks = reachableEngines().map(async (engine) => [engine, await whyNoSmallDisk(engine)] as const);
const found: readonly (readonly [TestEngine, string | undefined])[] = await Promise.all(checks);

/** What a table of the tenant holds, past every wall. */
async function countOf(world: AuditWorld, sql: string): Promise<number> {
  const [row] = (await world.execute(sql, [world.tenant.id])) as { n: number }[];
  return Number(row?.n);
}

const ACCOUNTS = 'select count(*) as n from account where tenant_id = ?';
const ENTRIES = "select count(*) as n from audit_entry where tenant_id = ? and entity_name = 'Account'";
const UNRECORDED =
  'select count(*) as n from account a left join audit_entry e on e.tenant_id = a.tenant_id and e.entity_id = cast(a.id as char(36)) ' +
  'where a.tenant_id = ? and e.id is null';

describe('audit on a full disk', () => {
  for (const [engine, reason] of found) {
    if (reason !== undefined) it.skip(`on ${engine.name}: not covered, ${reason}`, () => {});
    else describe(`on ${engine.name}`, () => declareCases(engine));
  }
});

function declareCases(engine: TestEngine): void {
  const options = { keys: new FixedAuditKeys(AuditKeyRing.create()) };
  let disk: SmallDisk;
  let orm: MikroORM<AbstractSqlDriver>;

  beforeAll(async () => {
    disk = await aSmallDisk(engine);
    const onError = (error: unknown) => {
      throw error;
    };
    orm = await MikroORM.init<AbstractSqlDriver>(
      ormOptions(disk.url, {
        entities: auditModel,
        driver: guardedDriver(engines[engine.name]),
        entityManager: GuardedEntityManager,
        subscribers: [new ChangeEventsSubscriber({ subscribers: [new AuditRecorder(options)], onError })],
      }),
    );
    await runInSystemFrame('prepare', () => orm.schema.create());
  });

  afterAll(async () => {
    await orm?.close(true);
    await disk?.drop();
  });

  it('keeps every row with its entry or neither, and once there is room the trail goes on, is sealed and verifies', async () => {
    const database = {
      orm,
      url: disk.url,
      fork: () => orm.em.fork() as SqlEntityManager,
      statementsOf: () => Promise.reject(new Error('Nobody counts here.')),
    };
    const current = new ContextEntityManager(database);
    const world = new AuditWorld(database, new AuditTrail(current, options), current);
    const sealer = new AuditSealer(current, options);
    const add = (row: number) => {
      // Nothing that a server could make shorter, and of all sizes, so that a row finds room and its entry does not.
      const notes = randomBytes(row % 3 === 0 ? 30_000 : randomInt(6_000)).toString('base64');
      return world.write((em) => void em.create(Account, { name: `account ${row}`, notes }));
    };

    await disk.limit((sql) => world.execute(sql));
    const refused: unknown[] = [];
    for (let row = 0; refused.length < REFUSALS; row++) await add(row).catch((error) => refused.push(error));
    for (const error of refused) expect(codeOf(error)).toBe(FULL);
    const accounts = await countOf(world, ACCOUNTS);
    expect(accounts).toBeGreaterThan(10);
    expect(await countOf(world, ENTRIES)).toBe(accounts);
    expect(await countOf(world, UNRECORDED)).toBe(0);
    // It may find room for a few seals: what it has not sealed by now it seals later.
    await world.as(() => sealer.seal()).catch((error) => expect(codeOf(error)).toBe(FULL));

    await disk.grow((sql) => world.execute(sql));
    await add(0);
    await add(1);
    expect(await countOf(world, ENTRIES)).toBe(accounts + 2);
    await world.as(() => sealer.seal());
    const verdict = await world.as(() => new AuditVerifier(current, sealer, options).verify());
    expect(verdict).toMatchObject({ ok: true, entries: accounts + 2 });
  });
}
