import { describe, expect, it } from '@jest/globals';
import { aDatabase, aTenant, eachEngine, reachableEngines } from '#libs/testing';
import { Sample } from '../entities/column-types.fixture.js';
import { Money, newId, runInSystemFrame, type StoredPage, StoredTable } from '../index.js';
import { as } from './bulk.fixture.js';

const WHOLE = {
  big: 2n ** 63n - 1n,
  decimal: '123456789012345678901234.560000',
  json: { z: 1, a: { y: [1, null, '手机 📱'], b: true } },
  instant: new Date('2026-03-29T02:30:00.123Z'),
  day: '2028-02-29',
  price: new Money(-Number.MAX_SAFE_INTEGER, 'EUR'),
  short: `'";\\--\n📱 `,
  colour: 'green',
  count: 2_147_483_647,
  ratio: 1 + Number.EPSILON,
  flag: false,
  bytes: Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
};

async function pagesOf(table: StoredTable, tenantColumn: string, tenantId: string): Promise<StoredPage[]> {
  const pages: StoredPage[] = [];
  for (let page: StoredPage | undefined; ; ) {
    page = await table.read(tenantColumn, tenantId, 2, page);
    if (page.count === 0) return pages;
    pages.push(page);
  }
}

describe('rows as they are stored', () => {
  eachEngine((from) => {
    describe.each(reachableEngines())('copied to $name', (to) => {
      const [source, target] = [aDatabase(from, [Sample]), aDatabase(to, [Sample])];

      it('come out as they went in, each type of column, page by page, and nobody else’s', async () => {
        const [own, other] = [aTenant(), aTenant()];
        const ids = [newId(), newId(), newId()];
        for (const tenant of [own, other]) {
          await as(tenant, async () => {
            const em = source.fork();
            for (const id of ids) em.create(Sample, { id, ...(id === ids[1] ? {} : WHOLE) } as never);
            await em.flush();
          });
        }
        await as(own, () =>
          runInSystemFrame('spec', async () => {
            const [a, b] = [source.fork(), target.fork()];
            const quote = (name: string) => a.getPlatform().quoteIdentifier(name);
            const read = new StoredTable(a, a.getMetadata().get(Sample));
            const pages = await pagesOf(read, quote('tenant_id'), own.id);
            expect(pages.map(({ count }) => count)).toEqual([2, 1]);
            const written = new StoredTable(b, b.getMetadata().get(Sample));
            await b.transactional(async (em) => {
              for (const page of pages) await written.insert(em as typeof b, page, new Set());
            });
            const again = await pagesOf(written, b.getPlatform().quoteIdentifier('tenant_id'), own.id);
            const sum = (table: StoredTable, of: StoredPage[]) => of.reduce((all, it) => all + table.digest(it), 0n);
            expect(sum(written, again)).toBe(sum(read, pages));
            const changed = again.map((page) => ({ ...page, values: page.values.with(-1, Array(page.count).fill(7)) }));
            expect(sum(written, changed)).not.toBe(sum(read, pages));
          }),
        );
        await as(own, async () => {
          const load = (em: typeof source, id: string) => em.fork().findOneOrFail(Sample, { tenantId: own.id, id });
          for (const id of ids) {
            const [before, after] = [await load(source, id), await load(target, id)];
            for (const name of [...Object.keys(WHOLE), 'version']) {
              expect([name, after[name as never]]).toEqual([name, before[name as never]]);
            }
          }
        });
      });
    });
  });
});
