import { type IsolationParty, type IsolationResource, jsonOf } from '#libs/isolation';

/** Makes something and gives its id. @throws {Error} when nothing was made */
async function make(party: IsolationParty, path: string, body: unknown): Promise<string> {
  const answer = await party.send({ method: 'POST', path, body });
  if (answer.status !== 201)
    throw new Error(`POST ${path} made nothing (${answer.status}): ${answer.text.slice(0, 300)}`);
  return String(jsonOf(answer).id);
}

let count = 0;
const aProduct = (party: IsolationParty) =>
  make(party, '/v1/products', {
    type: 'book',
    sku: `${party.canary}-sku-${++count}`,
    name: party.canary,
    price: { amount: 1, currency: 'EUR' },
    stock: 100,
    isbn: '1',
  });
const aWallet = (party: IsolationParty) => make(party, '/v1/wallets', { currency: 'EUR' });

/** The first of a list. */
async function first(party: IsolationParty, path: string): Promise<string> {
  const { data } = jsonOf(await party.send({ method: 'GET', path })) as { data?: readonly { id: string }[] };
  if (!data?.[0]) throw new Error(`GET ${path} lists nothing.`);
  return data[0].id;
}

/** What tenants of this application have. A resource of your own is one line more, and often no more than its path. */
export const shopResources: readonly IsolationResource[] = [
  { path: '/v1/products' },
  { path: '/v1/wallets' },
  {
    path: '/v1/transfers',
    create: async (party) => ({
      from: await aWallet(party),
      to: await aWallet(party),
      amount: 1,
    }),
    // Nothing is left of one that could be asked for, and an empty wallet pays nothing.
    make: async () => '',
  },
  {
    path: '/v1/orders',
    create: async (party) => ({ lines: [{ productId: await aProduct(party), quantity: 1 }] }),
  },
  { path: '/v1/members' },
  { path: '/v1/invitations' },
  { path: '/v1/api-keys' },
  {
    path: '/v1/audit',
    make: async (party) => {
      const product = await aProduct(party);
      return first(party, `/v1/audit?entityId=${product}`);
    },
  },
  { path: '/v1/auth/sessions', make: (party) => first(party, '/v1/auth/sessions') },
];
