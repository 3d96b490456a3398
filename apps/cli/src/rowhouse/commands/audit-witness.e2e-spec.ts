import { Readable, Writable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { TenantMoveService } from '#apps/api';
import { runInContext } from '#libs/context';
import { type IsolationStrategyName, TenantStore } from '#libs/tenancy';
import { eachEngine } from '#libs/testing';
import { type SignedUpTenant, signUp } from '../../../../../test/support/api-client.js';
import { createOwnedDatabase, type OwnedDatabase } from '../../../../../test/support/owned-database.js';
import { startTestApp, type TestApp } from '../../../../../test/support/test-app.js';
import { commands } from '../commands.js';
import { runCli } from '../run-cli.js';

class Collected extends Writable {
  text = '';
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

const book = { type: 'book', name: 'Tea', price: { amount: 1250, currency: 'EUR' }, isbn: '9783161484100' };

/** The whole application, under row-level security and a role that owns nothing, and somebody at the database's own prompt. */
describe('rowhouse audit witness and audit reconcile', () => {
  eachEngine((engine) => {
    if (engine.name !== 'postgresql') return;
    let database: OwnedDatabase;
    let test: TestApp;
    let acme: SignedUpTenant;
    beforeAll(async () => {
      database = await createOwnedDatabase(engine);
      test = await startTestApp({ SHARDS: `shard-1=${database.url}`, DATABASE_ROLE: database.role });
      acme = await signUp(test.app, 'acme');
    });
    afterAll(async () => {
      await test?.close();
      await database?.drop();
    });

    const call = async (...args: string[]) => {
      const [stdout, stderr] = [new Collected(), new Collected()];
      const streams = { stdin: Readable.from([]), stdout, stderr, loadConfig: () => test.config };
      const code = await runCli(commands, ['audit', ...args], streams);
      return { code, stdout: stdout.text, stderr: stderr.text };
    };

    it('says nothing where nobody watches', async () => {
      const { code, stderr } = await call('reconcile');
      expect([code, stderr]).toEqual([1, expect.stringContaining('no witnesses')]);
    });

    it('finds nothing in what the application does, and names what is done past it', async () => {
      const installed = await call('witness', '--json');
      expect(installed).toMatchObject({ code: 0, stderr: '' });
      expect(JSON.parse(installed.stdout)).toMatchObject([{ schema: 'public', watched: true }]);
      const { body } = await acme.owner.call('/v1/products', { body: { ...book, sku: 'seen', tags: ['a'] } });
      await acme.owner.call(`/v1/products/${body.id}`, { method: 'PATCH', body: { name: 'The Book of Tea' } });
      expect(await call('reconcile', '--json')).toMatchObject({ code: 0, stdout: '[]\n' });
      await database.sql('update product set name = ? where id = ?', ['Forged', body.id]);
      const { code, stdout, stderr } = await call('reconcile', '--tenant', 'acme', '--json');
      expect(JSON.parse(stdout)).toMatchObject([
        { tenant: 'acme', operation: 'update', table: 'product', entityId: body.id, explainedBy: null },
      ]);
      expect([code, stderr]).toEqual([1, expect.stringContaining('1 changes have no audit entry')]);
      const { data } = (await acme.owner.call('/v1/audit?action=audit_read')).body;
      expect(data).toMatchObject([{ actor: { id: 'audit-witnesses' }, changes: { unrecorded: { new: 1 } } }]);
      expect((await call('reconcile', '--from', new Date(Date.now() + 60_000).toISOString())).code).toBe(0);
      expect((await call('reconcile', '--from', 'yesterday')).code).toBe(2);
    });

    it('finds nothing in what a move copies and clears away, and watches the new place', async () => {
      const from = new Date(Date.now() + 1).toISOString();
      const reconcile = () => call('reconcile', '--tenant', 'acme', '--from', from, '--json');
      const move = (strategy: IsolationStrategyName) =>
        runInContext({ actor: { id: 'spec', type: 'system' } }, () =>
          test.app.get(TenantMoveService).move('acme', { strategy }, { settleMs: 0 }),
        );
      for (const strategy of ['schema', 'row', 'search-path'] as const) {
        await move(strategy);
        expect(await reconcile()).toMatchObject({ code: 0, stdout: '[]\n' });
      }
      const { placement } = await runInContext({}, () => test.app.get(TenantStore).getBySlug('acme'));
      await database.sql(`update ${placement.schemaName}.product set name = 'Forged again'`);
      expect(JSON.parse((await reconcile()).stdout)).toMatchObject([{ operation: 'update', table: 'product' }]);
    });
  });
});
