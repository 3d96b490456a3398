import { describe, expect, it } from '@jest/globals';
import { Routine, ScalarReference } from '@mikro-orm/core';
import { runInSystemFrame } from '#libs/persistence';
import { aDatabase, eachEngine, Tag } from '#libs/testing';
import { aCookbookShop } from './a-cookbook-shop.js';

// #region declare-procedure
const addTax = Routine.create({
  name: 'add_tax',
  type: 'procedure',
  params: {
    net: { type: 'integer', runtimeType: 'number' },
    gross: { type: 'integer', runtimeType: 'number', direction: 'out', ref: true },
  },
  body: 'select net * 119 / 100 into gross;', // the schema generator and migrations create it
});
// #endregion

describe('procedures', () => {
  eachEngine((engine) => {
    const database = aDatabase(engine, [Tag], { routines: [addTax] });
    const { forTenant } = aCookbookShop(engine);
    const isSqlite = engine.name === 'sqlite';

    it('hands values out by its OUT parameters', async () => {
      const em = database.fork();
      const call = async () => {
        // #region call-procedure
        const gross = new ScalarReference<number>();
        await em.callRoutine(addTax, { net: 200, gross });
        // #endregion
        return gross.unwrap();
      };
      if (isSqlite) await expect(call()).rejects.toThrow('Stored procedures are not supported on SQLite');
      else expect(await call()).toBe(238);
    });

    it('is refused among the rows of tenants, where the kit itself may call it', () =>
      forTenant(async (em) => {
        const gross = new ScalarReference<number>();
        const call = () => em.callRoutine(addTax, { net: 200, gross });
        await expect(call()).rejects.toMatchObject({ code: 'operation_refused' });
        // In a system frame the guard steps aside: what is missing here is only the procedure.
        await expect(runInSystemFrame('month-end', call)).rejects.toThrow(/not registered|not supported/);
      }));
  });
});
