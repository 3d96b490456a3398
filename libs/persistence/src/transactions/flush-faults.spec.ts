import { beforeEach, describe, expect, it } from '@jest/globals';
import {
  DriverException,
  ForeignKeyConstraintViolationException,
  type Ref,
  UniqueConstraintViolationException,
} from '@mikro-orm/core';
import { Entity, ManyToOne, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { aDatabase, eachEngine } from '#libs/testing';
import { transactional } from './transactional.js';

@Entity({ tableName: 'keeper' })
class Keeper {
  @PrimaryKey({ type: 'integer', autoincrement: false })
  readonly id: number;

  @Property({ type: 'string', length: 20 })
  name: string;

  constructor(id: number, name = `keeper ${id}`) {
    this.id = id;
    this.name = name;
  }
}

@Entity({ tableName: 'animal' })
class Animal {
  @PrimaryKey({ type: 'integer', autoincrement: false })
  readonly id!: number;

  @ManyToOne(() => Keeper, { ref: true })
  keeper!: Ref<Keeper>;
}

describe('a flush and bad input', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [Keeper, Animal]);
    const left = async () => (await database.fork().find(Keeper, {}, { orderBy: { id: 'asc' } })).map(({ id }) => id);
    /** Makes two good rows and what `spoil` makes, in one flush. */
    const flush = (spoil: (em: ReturnType<typeof database.fork>) => void) => {
      const em = database.fork();
      em.persist([new Keeper(2), new Keeper(3)]);
      spoil(em);
      return em.flush();
    };
    beforeEach(async () => {
      await database.fork().nativeDelete(Animal, {});
      await database.fork().nativeDelete(Keeper, {});
      await database.fork().persist(new Keeper(1)).flush();
    });

    it('keeps nothing of it when a row refers to nothing', async () => {
      const work = flush((em) => em.create(Animal, { id: 1, keeper: em.getReference(Keeper, 99, { wrapped: true }) }));
      await expect(work).rejects.toThrow(ForeignKeyConstraintViolationException);
      expect(await left()).toEqual([1]);
    });

    it('keeps nothing of it when a key is taken', async () => {
      await expect(flush((em) => em.persist(new Keeper(1)))).rejects.toThrow(UniqueConstraintViolationException);
      expect(await left()).toEqual([1]);
    });

    // SQLite knows no lengths: it keeps the whole value.
    if (engine.name === 'sqlite') {
      it('keeps the whole of a value longer than its column', async () => {
        await flush((em) => em.persist(new Keeper(4, 'x'.repeat(21))));
        expect((await database.fork().findOneOrFail(Keeper, 4)).name).toHaveLength(21);
      });
    } else {
      it('keeps nothing of it, nor a shortened value, when a value is too long', async () => {
        await expect(flush((em) => em.persist(new Keeper(4, 'x'.repeat(21))))).rejects.toThrow(DriverException);
        expect(await left()).toEqual([1]);
      });
    }

    it('keeps emoji as they are, and finds the row by them', async () => {
      const name = '👩‍👩‍👧 🦄 é';
      await flush((em) => em.persist(new Keeper(4, name)));
      expect(await database.fork().findOneOrFail(Keeper, { name })).toMatchObject({ id: 4, name });
    });

    it('that fails takes the flushes of its transaction before it along', async () => {
      const work = transactional(database.fork(), async (em) => {
        em.persist(new Keeper(5));
        await em.flush();
        em.persist(new Keeper(1));
        await em.flush();
      });
      await expect(work).rejects.toThrow(UniqueConstraintViolationException);
      expect(await left()).toEqual([1]);
    });
  });
});
