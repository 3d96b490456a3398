import { describe, expect, it } from '@jest/globals';
import { bulkInsert } from '#libs/persistence';
import { eachEngine, Tag } from '#libs/testing';
import { Account } from './audit.model.js';
import { aSealedWorld, type SealedWorld, textOf } from './sealed-world.js';

const ENTRIES = 5000;

/** What reads places of the trail. */
const isPage = (sql: string) => /left join .*audit_entry.* order by s\.position/.test(sql);

async function fill(it: SealedWorld): Promise<void> {
  const rows = Array.from({ length: ENTRIES }, (_, row) => ({ name: `tag ${row} ${it.tenant.id}` }));
  await it.world.as((em) => bulkInsert(em, Tag, rows));
  await it.seal();
}

describe('an export', () => {
  eachEngine((engine) => {
    const aWorld = aSealedWorld(engine);
    let trail: Promise<SealedWorld> | undefined;
    /** Long enough for several pages; the cases only read it. */
    const aLongTrail = () => {
      trail ??= aWorld().then(async (it) => {
        await fill(it);
        return it;
      });
      return trail;
    };

    it.each(['ndjson', 'csv'] as const)(
      'as %s reads no further than it is read: memory does not grow',
      async (format) => {
        const it = await aLongTrail();
        let read = 0;
        const statements = await it.world.database.statementsOf(() =>
          it.world.as(async () => {
            for await (const part of it.exporter[format]()) {
              const lines = part.split('\n').filter((line) => line.includes('"Tag"') || line.includes(',create,Tag,'));
              read += lines.length;
              if (lines.length > 0) break;
            }
          }),
        );
        expect(read).toBeGreaterThan(0);
        expect(read).toBeLessThan(ENTRIES / 2);
        // The one that is given out, and the one that is read meanwhile.
        expect(statements.filter(isPage).length).toBeGreaterThan(0);
        expect(statements.filter(isPage).length).toBeLessThanOrEqual(2);
      },
    );

    it('gives out every entry once, however many pages it takes', async () => {
      const it = await aLongTrail();
      const positions: number[] = [];
      await it.world.as(async () => {
        for await (const part of it.exporter.ndjson()) {
          for (const line of part.split('\n')) {
            if (line.startsWith('{"kind":"entry"')) positions.push((JSON.parse(line) as { position: number }).position);
          }
        }
      });
      expect(positions).toEqual(Array.from({ length: positions.length }, (_, index) => index + 1));
      expect(positions.length).toBeGreaterThanOrEqual(ENTRIES);
    });

    it.each(['ndjson', 'csv'] as const)('as %s tells that a secret changed, and its value nowhere', async (format) => {
      const it = await aWorld();
      const account = await it.world.write((em) => em.create(Account, { name: 'Acme', apiKey: 'key-of-acme' }));
      await it.world.write(async (em) => {
        (await em.findOneOrFail(Account, { id: account.id } as never)).apiKey = 'key-of-globex';
      });
      const text = await it.world.as(() => textOf(it.exporter[format]()));
      expect(text).toContain('Acme');
      expect(text).toMatch(/apiKey.{1,6}:\{.{1,3}secret/);
      expect(text).not.toContain('key-of');
    });
  });
});
