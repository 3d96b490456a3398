import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type SignedUpTenant, signUp } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

describe('wallets and transfers', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
  });
  afterAll(() => test.close());

  const deposit = (id: string, amount: unknown) => acme.owner.call(`/v1/wallets/${id}/deposits`, { body: { amount } });
  const transfer = (from: string, to: string, amount: unknown) =>
    acme.owner.call('/v1/transfers', { body: { from, to, amount } });
  const balanceOf = async (id: string) => (await acme.owner.call(`/v1/wallets/${id}`)).body.balance;
  const trail = async (entity: string, id: string) =>
    (await acme.owner.call(`/v1/audit?entity=${entity}&entityId=${id}`)).body.data;

  /** A wallet of acme, with money in it. */
  async function aWallet(balance = 0, currency = 'EUR'): Promise<string> {
    const { body, status, headers } = await acme.owner.call('/v1/wallets', { body: { currency } });
    expect(status).toBe(201);
    expect(headers.location).toBe(`/v1/wallets/${body.id}`);
    expect(body).toMatchObject({ currency, balance: 0 });
    if (balance > 0) expect(await deposit(body.id, balance)).toMatchObject({ status: 201, body: { balance } });
    return body.id;
  }

  it('moves money from one to the other, on record in each', async () => {
    const [from, to] = [await aWallet(500), await aWallet(1)];
    const moved = await transfer(from, to, 200);
    expect(moved).toMatchObject({ status: 201, body: { from, to, amount: 200, currency: 'EUR' } });
    expect([await balanceOf(from), await balanceOf(to)]).toEqual([300, 201]);
    expect((await trail('Wallet', from))[0]).toMatchObject({
      action: 'update',
      changes: { balance: { old: 500, new: 300 } },
      actor: { email: acme.email },
      route: '/v1/transfers',
    });
    expect(await trail('Transfer', moved.body.id)).toMatchObject([
      { action: 'create', changes: { 'money.amount': { new: 200 }, from: { new: from }, to: { new: to } } },
    ]);
  });

  it('does not pay what a wallet does not hold, and changes nothing', async () => {
    const [from, to] = [await aWallet(100), await aWallet()];
    const before = await trail('Wallet', from);
    expect(await transfer(from, to, 101)).toMatchObject({ status: 409, body: { code: 'insufficient_funds' } });
    expect([await balanceOf(from), await balanceOf(to)]).toEqual([100, 0]);
    expect(await trail('Wallet', from)).toEqual(before);
  });

  it('lets one of two concurrent transfers have the last hundred', async () => {
    const [from, a, b] = [await aWallet(100), await aWallet(), await aWallet()];
    const answers = await Promise.all([transfer(from, a, 100), transfer(from, b, 100)]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 409]);
    expect(await balanceOf(from)).toBe(0);
    expect((await balanceOf(a)) + (await balanceOf(b))).toBe(100);
  });

  it('loses nothing of many at once, in all directions', async () => {
    const wallets = await Promise.all([100, 100, 100].map((balance) => aWallet(balance)));
    const at = (index: number) => wallets[index % 3] as string;
    const answers = await Promise.all(
      Array.from({ length: 30 }, (_, index) => transfer(at(index), at(index + 1 + (index % 2)), 7 * (1 + (index % 5)))),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const balances = await Promise.all(wallets.map(balanceOf));
    expect(balances.reduce((sum, balance) => sum + balance, 0)).toBe(300);
    expect(Math.min(...balances)).toBeGreaterThanOrEqual(0);
  });

  it('does not mix currencies', async () => {
    const [from, to] = [await aWallet(100), await aWallet(0, 'USD')];
    expect(await transfer(from, to, 1)).toMatchObject({
      status: 400,
      body: { code: 'invalid_input', errors: [{ pointer: '/to' }] },
    });
    expect(await balanceOf(from)).toBe(100);
  });

  it.each([0, -1, 1.5, '1', 2 ** 53, 1e300, null, { $gt: 0 }])('takes no amount of %p', async (amount) => {
    const [from, to] = [await aWallet(100), await aWallet()];
    const expected = { status: 400, body: { code: 'invalid_input', errors: [{ pointer: '/amount' }] } };
    expect(await transfer(from, to, amount)).toMatchObject(expected);
    expect(await deposit(from, amount)).toMatchObject(expected);
    expect(await balanceOf(from)).toBe(100);
  });

  it('holds as much as can be counted, and no more', async () => {
    const [full, other] = [await aWallet(Number.MAX_SAFE_INTEGER), await aWallet(1)];
    expect(await balanceOf(full)).toBe(Number.MAX_SAFE_INTEGER);
    expect(await deposit(full, 1)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(await transfer(other, full, 1)).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(await balanceOf(other)).toBe(1);
  });

  it('pays nobody their own money', async () => {
    const wallet = await aWallet(100);
    expect(await transfer(wallet, wallet, 1)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/to' }] } });
    expect(await transfer(wallet, wallet.toUpperCase(), 1)).toMatchObject({ status: 400 });
  });

  it.each([{}, { currency: 'eur' }, { currency: 'EUR', balance: 5 }, { currency: 'EUR', tenantId: uuidv7() }])(
    'opens no wallet from %p',
    async (body) => {
      expect(await acme.owner.call('/v1/wallets', { body })).toMatchObject({
        status: 400,
        body: { code: 'invalid_input' },
      });
    },
  );

  it("answers another tenant's wallet like one that never existed, and takes nothing out of it", async () => {
    const { body: theirs } = await globex.owner.call('/v1/wallets', { body: { currency: 'EUR' } });
    await globex.owner.call(`/v1/wallets/${theirs.id}/deposits`, { body: { amount: 1000 } });
    const mine = await aWallet(10);
    const never = uuidv7();
    const headers = { 'x-request-id': 'same' };
    const attempts = (id: string) => [
      acme.owner.call(`/v1/wallets/${id}`, { headers }),
      acme.owner.call(`/v1/wallets/${id}/deposits`, { headers, body: { amount: 1 } }),
      acme.owner.call('/v1/transfers', { headers, body: { from: id, to: mine, amount: 1 } }),
      acme.owner.call('/v1/transfers', { headers, body: { from: mine, to: id, amount: 1 } }),
    ];
    const [foreign, unknown, malformed] = await Promise.all(
      [theirs.id, never, 'none'].map(async (id) =>
        (await Promise.all(attempts(id))).map(({ status, text }) => [status, text.replaceAll(id, 'ID')]),
      ),
    );
    expect(foreign?.map(([status]) => status)).toEqual([404, 404, 404, 404]);
    expect(foreign).toEqual(unknown);
    expect(malformed).toEqual(unknown);
    expect((await globex.owner.call(`/v1/wallets/${theirs.id}`)).body.balance).toBe(1000);
    expect(await balanceOf(mine)).toBe(10);
  });
});
