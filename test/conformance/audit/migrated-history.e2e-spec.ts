import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type EntityClass, MikroORM } from '@mikro-orm/core';
import { Entity, Property } from '@mikro-orm/decorators/legacy';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { AuditEntry, Audited, AuditRecorder, AuditTrail } from '#libs/audit';
import { runAs } from '#libs/context';
import {
  ChangeEventsSubscriber,
  CurrentEntityManager,
  engines,
  ormOptions,
  runInSystemFrame,
  TenantOwned,
} from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { aTenant, createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';

/** The class as it was. */
const before = (() => {
  @Entity({ tableName: 'note' })
  class Note extends TenantOwned {
    @Property({ type: 'string', length: 50 })
    title!: string;

    @Property({ type: 'string', length: 50 })
    colour!: string;
  }
  return Note;
})();

/** The class after a migration: one property renamed, one dropped, one added. */
const after = (() => {
  @Audited<Note>({ renamed: { title: 'name' } })
  @Entity({ tableName: 'note' })
  class Note extends TenantOwned {
    @Property({ type: 'string', length: 50 })
    name!: string;

    @Property({ type: 'string', length: 50, nullable: true })
    mood?: string;
  }
  return Note;
})();

const migration = [
  'alter table note rename column title to name',
  'alter table note drop column colour',
  'alter table note add column mood varchar(50) null',
];

describe('a history that is older than a migration', () => {
  eachEngine((engine) => {
    let database: TestDatabase;
    const orms: MikroORM<AbstractSqlDriver>[] = [];
    const tenant = aTenant();

    const open = async (entity: EntityClass<object>) => {
      const changes = new ChangeEventsSubscriber({ subscribers: [new AuditRecorder()], onError: () => {} });
      const orm = await MikroORM.init<AbstractSqlDriver>(
        ormOptions(database.url, {
          entities: [entity, AuditEntry],
          driver: guardedDriver(engines[engine.name]),
          entityManager: GuardedEntityManager,
          subscribers: [changes],
        }),
      );
      orms.push(orm);
      return orm;
    };
    const as = <T>(orm: MikroORM, work: (em: SqlEntityManager, trail: AuditTrail) => Promise<T>): Promise<T> =>
      runAs({ tenant, actor: { id: 'u-1', type: 'user' } }, () => {
        const em = orm.em.fork() as SqlEntityManager;
        class Current extends CurrentEntityManager {
          override get = () => em;
        }
        return work(em, new AuditTrail(new Current(), {}));
      });
    const stored = (orm: MikroORM<AbstractSqlDriver>) =>
      runInSystemFrame('look', () => orm.em.getConnection().execute('select id, changes from audit_entry order by id'));

    beforeAll(async () => {
      database = await createTestDatabase(engine);
    });
    afterAll(async () => {
      for (const orm of orms) await orm.close(true);
      await database.drop();
    });

    it('stays readable under the names of today, differs and can be put back, and is never rewritten', async () => {
      const old = await open(before);
      await runInSystemFrame('create', () => old.schema.create());
      const id = await as(old, async (em) => {
        const note = em.create(before, { title: 'first', colour: 'red' });
        await em.flush();
        note.title = 'second';
        await em.flush();
        return note.id;
      });
      const written = await stored(old);
      await old.close(true);
      const present = await open(after);
      await runInSystemFrame('migrate', async () => {
        for (const sql of migration) await present.em.getConnection().execute(sql);
      });
      await as(present, async (em) => {
        Object.assign(await em.findOneOrFail(after, { id } as never), { name: 'third', mood: 'glad' });
        await em.flush();
      });

      await as(present, async (_, trail) => {
        const values = async (version: number) => (await trail.stateAt(after, id, version))?.values;
        expect(await values(1)).toEqual({ name: 'first', colour: 'red' });
        expect(await values(3)).toEqual({ name: 'third', colour: 'red', mood: 'glad' });
        expect(await trail.diff(after, id, 1, 3)).toEqual({
          name: { old: 'first', new: 'third' },
          mood: { old: null, new: 'glad' },
        });
        const [, , first] = (await trail.versions(after, id)).versions;
        expect(first?.entry.getChanges()).toMatchObject({ title: { old: null, new: 'first' } });
        expect(await trail.revert(after, id, 1)).toMatchObject({ restored: ['name'], skipped: ['colour'] });
      });
      const note = await as(present, (em) => em.findOneOrFail(after, { id } as never));
      expect(note).toMatchObject({ name: 'first', mood: 'glad' });
      expect((await stored(present)).slice(0, 2)).toEqual(written);
    });
  });
});
