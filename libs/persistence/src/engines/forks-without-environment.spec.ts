import { afterEach, describe, expect, it } from '@jest/globals';
import { aDatabase, Category, eachEngine, shopModel } from '#libs/testing';

/** The option that MikroORM keeps in the environment. */
const COLORS = 'MIKRO_ORM_COLORS';

describe('a fork', () => {
  const given = process.env[COLORS];

  afterEach(() => {
    if (given === undefined) delete process.env[COLORS];
    else process.env[COLORS] = given;
  });

  eachEngine((engine) => {
    const database = aDatabase(engine, shopModel);

    it('leaves the environment of the process alone', () => {
      process.env[COLORS] = "somebody else's";
      database.orm.em.fork().fork();
      expect(process.env[COLORS]).toBe("somebody else's");
      // Any other option goes there as ever.
      database.orm.config.set('colors', database.orm.config.get('colors'));
      expect(process.env[COLORS]).not.toBe("somebody else's");
    });

    it('leaves the global EntityManager closed to work', async () => {
      for (const allowed of [false, true]) {
        database.orm.config.set('allowGlobalContext', allowed);
        database.orm.em.fork();
        expect(database.orm.config.get('allowGlobalContext')).toBe(allowed);
      }
      database.orm.config.set('allowGlobalContext', false);
      await expect(database.orm.em.count(Category, {})).rejects.toThrow(/global/);
    });
  });
});
