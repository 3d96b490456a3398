import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { v7 as uuidv7 } from 'uuid';
import { type Answer, type SignedUpTenant, signUp } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

describe('orders', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  let globex: SignedUpTenant;
  let products = 0;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    globex = await signUp(test.app, 'globex');
  });
  afterAll(() => test.close());

  /** A product of acme; a lamp, so that the lock is on a hierarchy of several tables. */
  async function aProduct(stock: number, amount = 1000, currency = 'EUR', of = acme): Promise<string> {
    const common = { type: 'electronic', sku: `lamp-${++products}`, name: 'Lamp', warrantyMonths: 24 };
    const { body, status } = await of.owner.call('/v1/products', {
      body: { ...common, stock, price: { amount, currency } },
    });
    expect(status).toBe(201);
    return body.id;
  }
  async function aWallet(balance: number, currency = 'EUR'): Promise<string> {
    const { body } = await acme.owner.call('/v1/wallets', { body: { currency } });
    await acme.owner.call(`/v1/wallets/${body.id}/deposits`, { body: { amount: balance } });
    return body.id;
  }
  const order = (...lines: [productId: string, quantity: unknown][]) =>
    acme.owner.call('/v1/orders', { body: { lines: lines.map(([productId, quantity]) => ({ productId, quantity })) } });
  const pay = (id: string, body: object) => acme.owner.call(`/v1/orders/${id}/pay`, { body });
  const stockOf = async (id: string) => (await acme.owner.call(`/v1/products/${id}`)).body.stock;
  const balanceOf = async (id: string) => (await acme.owner.call(`/v1/wallets/${id}`)).body.balance;
  const trail = async (query: string) => (await acme.owner.call(`/v1/audit?${query}`)).body.data;
  const card = { method: 'card', token: 'tok_4242-secret', lastFour: '4242' };

  describe('when they are placed', () => {
    it('take what is ordered out of stock, at the prices of now, on record', async () => {
      const [lamp, bulb] = [await aProduct(5, 1999), await aProduct(9, 250)];
      const placed = await order([lamp, 2], [bulb, 3], [lamp, 1]);
      expect(placed).toMatchObject({
        status: 201,
        headers: { location: `/v1/orders/${placed.body.id}` },
        body: {
          status: 'open',
          total: { amount: 3 * 1999 + 3 * 250, currency: 'EUR' },
          lines: [
            { productId: lamp, quantity: 2, unitPrice: { amount: 1999, currency: 'EUR' } },
            { productId: bulb, quantity: 3, unitPrice: { amount: 250, currency: 'EUR' } },
            { productId: lamp, quantity: 1 },
          ],
          payments: [],
          paidAt: null,
        },
      });
      expect([await stockOf(lamp), await stockOf(bulb)]).toEqual([2, 6]);
      expect((await acme.owner.call(`/v1/orders/${placed.body.id}`)).body).toEqual(placed.body);
      expect((await trail(`entity=Electronic&entityId=${lamp}`))[0]).toMatchObject({
        action: 'update',
        changes: { stock: { old: 5, new: 2 } },
        route: '/v1/orders',
      });
      expect(await trail(`entity=Order&entityId=${placed.body.id}`)).toMatchObject([{ action: 'create' }]);
      const ids = placed.body.lines.map(({ id }: { id: string }) => id);
      for (const id of ids) expect(await trail(`entity=OrderLine&entityId=${id}`)).toHaveLength(1);
      // A later price is none of this order's business.
      await acme.owner.call(`/v1/products/${lamp}`, {
        method: 'PATCH',
        body: { price: { amount: 1, currency: 'EUR' } },
      });
      expect((await acme.owner.call(`/v1/orders/${placed.body.id}`)).body).toEqual(placed.body);
    });

    it('take all or nothing', async () => {
      const [lamp, bulb] = [await aProduct(5), await aProduct(1)];
      const entries = await trail('entity=Order');
      const refused = await order([lamp, 5], [bulb, 1], [bulb, 1]);
      expect(refused).toMatchObject({
        status: 409,
        body: {
          code: 'out_of_stock',
          errors: [{ pointer: '/lines/1/quantity', detail: expect.stringMatching(/^1 of/) }],
        },
      });
      expect([await stockOf(lamp), await stockOf(bulb)]).toEqual([5, 1]);
      expect(await trail('entity=Order')).toEqual(entries);
    });

    it('never sell more than there is, however many come at once', async () => {
      const [lamp, bulb] = [await aProduct(7), await aProduct(100)];
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, i) => (i % 2 ? order([lamp, 1], [bulb, 1]) : order([bulb, 1], [lamp, 1]))),
      );
      const sold = answers.filter(({ status }) => status === 201);
      expect(sold).toHaveLength(7);
      expect(answers.filter(({ status, body }) => status === 409 && body.code === 'out_of_stock')).toHaveLength(5);
      expect([await stockOf(lamp), await stockOf(bulb)]).toEqual([0, 93]);
    });

    it('are of one currency', async () => {
      const [lamp, bulb] = [await aProduct(5), await aProduct(5, 100, 'USD')];
      expect(await order([lamp, 1], [bulb, 1])).toMatchObject({
        status: 400,
        body: { code: 'invalid_input', errors: [{ pointer: '/lines/1/productId' }] },
      });
      expect([await stockOf(lamp), await stockOf(bulb)]).toEqual([5, 5]);
    });

    it('cost no more than can be counted', async () => {
      const gold = await aProduct(10, Number.MAX_SAFE_INTEGER);
      expect(await order([gold, 2])).toMatchObject({ status: 400, body: { errors: [{ pointer: '/lines' }] } });
      expect(await order([gold, 1])).toMatchObject({
        status: 201,
        body: { total: { amount: Number.MAX_SAFE_INTEGER } },
      });
    });

    it('need lines with sensible quantities', async () => {
      const lamp = await aProduct(5);
      for (const quantity of [0, -1, 1.5, '1', 1_000_001, null]) {
        expect(await order([lamp, quantity])).toMatchObject({
          status: 400,
          body: { code: 'invalid_input', errors: [{ pointer: '/lines/0/quantity' }] },
        });
      }
      expect(await order()).toMatchObject({ status: 400, body: { errors: [{ pointer: '/lines' }] } });
      const many = Array.from({ length: 101 }, (): [string, number] => [lamp, 1]);
      expect(await order(...many)).toMatchObject({ status: 400, body: { errors: [{ pointer: '/lines' }] } });
      expect(await stockOf(lamp)).toBe(5);
    });

    it("know another tenant's product no better than one that never existed", async () => {
      const [mine, theirs] = [await aProduct(5), await aProduct(5, 1000, 'EUR', globex)];
      for (const id of [theirs, uuidv7(), 'nonsense']) {
        expect(await order([mine, 1], [id, 1])).toMatchObject({ status: 404, body: { code: 'not_found' } });
      }
      expect(await stockOf(mine)).toBe(5);
      expect((await globex.owner.call(`/v1/products/${theirs}`)).body.stock).toBe(5);
    });

    it('keep their products from being deleted', async () => {
      const lamp = await aProduct(5);
      await order([lamp, 1]);
      expect(await acme.owner.call(`/v1/products/${lamp}`, { method: 'DELETE' })).toMatchObject({
        status: 409,
        body: { code: 'conflict' },
      });
      expect(await stockOf(lamp)).toBe(4);
    });
  });

  describe('when they are paid', () => {
    const anOrder = async (amount = 1000) => (await order([await aProduct(1, amount), 1])).body.id;

    it('take the money out of a wallet', async () => {
      const [id, wallet] = [await anOrder(), await aWallet(1500)];
      const paid = await pay(id, { method: 'wallet', walletId: wallet });
      expect(paid).toMatchObject({
        status: 200,
        body: {
          id,
          status: 'paid',
          paidAt: expect.stringMatching(/Z$/),
          payments: [{ method: 'wallet', walletId: wallet, amount: { amount: 1000, currency: 'EUR' } }],
        },
      });
      expect(paid.body.lines).toHaveLength(1);
      expect(await balanceOf(wallet)).toBe(500);
      expect((await acme.owner.call(`/v1/orders/${id}`)).body).toEqual(paid.body);
      expect(await trail(`entity=WalletPayment&entityId=${paid.body.payments[0].id}`)).toMatchObject([
        { action: 'create', changes: { wallet: { new: wallet }, order: { new: id } }, route: '/v1/orders/:id/pay' },
      ]);
    });

    it("keep a card's token out of every answer and of the trail", async () => {
      const paid = await pay(await anOrder(), card);
      expect(paid).toMatchObject({ status: 200, body: { payments: [{ method: 'card', lastFour: '4242' }] } });
      const [entry] = await trail(`entity=CardPayment&entityId=${paid.body.payments[0].id}`);
      expect(entry.changes).toMatchObject({ token: { secret: true }, lastFour: { new: '4242' } });
      const seen = [paid, await acme.owner.call('/v1/orders'), await acme.owner.call('/v1/audit?limit=100')];
      for (const { text } of seen) expect(text).not.toContain('4242-secret');
    });

    it('are paid once, however many pay at once', async () => {
      const [id, wallet] = [await anOrder(), await aWallet(5000)];
      const answers = await Promise.all([1, 2, 3].map(() => pay(id, { method: 'wallet', walletId: wallet })));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409]);
      expect(await balanceOf(wallet)).toBe(4000);
      expect(await pay(id, card)).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect((await acme.owner.call(`/v1/orders/${id}`)).body.payments).toHaveLength(1);
    });

    it('stay open when the wallet holds too little, or another currency, or is not there', async () => {
      const id = await anOrder();
      const [poor, foreign] = [await aWallet(999), await aWallet(5000, 'USD')];
      expect(await pay(id, { method: 'wallet', walletId: poor })).toMatchObject({
        status: 409,
        body: { code: 'insufficient_funds' },
      });
      expect(await pay(id, { method: 'wallet', walletId: foreign })).toMatchObject({
        status: 400,
        body: { errors: [{ pointer: '/walletId' }] },
      });
      expect((await pay(id, { method: 'wallet', walletId: uuidv7() })).status).toBe(404);
      expect((await acme.owner.call(`/v1/orders/${id}`)).body).toMatchObject({ status: 'open', payments: [] });
      expect([await balanceOf(poor), await balanceOf(foreign)]).toEqual([999, 5000]);
    });

    it.each([
      {},
      { method: 'cash' },
      { method: 'wallet' },
      { method: 'card', token: '4242424242424242', lastFour: '4242' },
      { ...card, walletId: uuidv7() },
      { method: { $ne: null } },
    ])('take no payment of %p', async (body) => {
      expect(await pay(await anOrder(), body)).toMatchObject({ status: 400, body: { code: 'invalid_input' } });
    });

    it("are not paid by another tenant's members", async () => {
      const id = await anOrder();
      expect((await globex.owner.call(`/v1/orders/${id}/pay`, { body: card })).status).toBe(404);
      expect((await globex.owner.call(`/v1/orders/${id}`)).status).toBe(404);
    });
  });

  it('are listed newest first, page by page, each once', async () => {
    const initech = await signUp(test.app, 'initech');
    const lamp = await aProduct(50, 10, 'EUR', initech);
    const placed: string[] = [];
    for (let i = 0; i < 5; i++) {
      const lines = [{ productId: lamp, quantity: 1 }];
      placed.unshift((await initech.owner.call('/v1/orders', { body: { lines } })).body.id);
    }
    const seen: string[] = [];
    let cursor: string | null = '';
    for (let page = 0; cursor !== null && page < 5; page++) {
      const next: Answer = await initech.owner.call(`/v1/orders?limit=2${cursor && `&cursor=${cursor}`}`);
      const { data, nextCursor } = next.body as { data: { id: string; lines: unknown[] }[]; nextCursor: string | null };
      seen.push(...data.map(({ id }) => id));
      for (const { lines } of data) expect(lines).toHaveLength(1);
      cursor = nextCursor;
    }
    expect(cursor).toBeNull();
    expect(seen).toEqual(placed);
    const { body } = await initech.owner.call('/v1/orders?limit=2');
    for (const query of [`cursor=${body.nextCursor}`, 'cursor=x', 'limit=0', 'limit=abc', 'sort=id']) {
      expect(await acme.owner.call(`/v1/orders?${query}`)).toMatchObject({
        status: 400,
        body: { code: 'invalid_input' },
      });
    }
  });
});
