import { AuditEntry } from '#libs/audit';
import { runAs } from '#libs/context';
import { Money } from '#libs/persistence';
import { type ShardDefinition, type ShardedEntityManager, ShardKeyChangedError } from '#libs/sharding';
import { ShardedShop } from './sharded-shop.js';
import { ShopProduct } from './shop-product.entity.js';

const TENANT = { id: '0190a000-0000-7000-8000-000000000001', slug: 'demo-shop' };
const ACTOR = { id: 'demo', type: 'user', email: 'demo@rowhouse.example' } as const;

/** Takes one line of the story. */
export type Print = (line?: string) => void;

/**
 * The sharded shop from end to end: two products are stored on two shards by their shard keys, listed from both, changed,
 * and found in the audit trail beside their rows. Leaves nothing behind.
 */
export async function runShardsDemo(shards: readonly ShardDefinition[], print: Print): Promise<void> {
  const shop = new ShardedShop(shards);
  try {
    await shop.open();
    await runAs({ tenant: TENANT, actor: ACTOR, route: 'demo:shards' }, async () => {
      await storeProducts(shop, print);
      await listProducts(shop, print);
      await changePrice(shop, print);
      await refuseMove(shop, print);
      await showAuditTrail(shop, print);
    });
  } finally {
    await shop.close();
  }
}

async function storeProducts(shop: ShardedShop, print: Print): Promise<void> {
  print(`1. Two products, stored by shardKey % ${shop.registry.ids.length}, in one flush over the shards`);
  const em = shop.factory.create();
  const products = [
    em.create(ShopProduct, { tenantId: TENANT.id, shardKey: 101, name: 'Laptop', price: new Money(129900, 'EUR') }),
    em.create(ShopProduct, { tenantId: TENANT.id, shardKey: 102, name: '手机', price: new Money(69900, 'EUR') }),
  ];
  for (const product of products) print(`   ${product.name}, key ${product.shardKey} → ${em.shardOf(product)}`);
  await showStatements(shop, print, () => em.flush({ mode: 'multi' }));
}

async function listProducts(shop: ShardedShop, print: Print): Promise<void> {
  print('2. All products, most expensive first, asked of every shard at the same time');
  const em = shop.factory.create();
  explain(em, {}, print);
  await showStatements(shop, print, async () => {
    const products = await em.find(ShopProduct, {}, { orderBy: { price: { amount: 'desc' } }, limit: 10 });
    for (const product of products) print(`   ${price(product)}  ${product.name}  (${em.shardOf(product)})`);
  });
  const [total] = await em.aggregate(ShopProduct, { select: { products: 'count', keys: { sum: 'shardKey' } } });
  print(`   together: ${total?.products} products, sum of their keys ${total?.keys}`);
  print();
}

async function changePrice(shop: ShardedShop, print: Print): Promise<void> {
  print('3. A product by its shard key: only its shard is asked, and written to');
  const em = shop.factory.create();
  explain(em, { shardKey: 102 }, print);
  await showStatements(shop, print, async () => {
    const phone = await em.findOne(ShopProduct, { shardKey: 102 });
    if (!phone) throw new Error('The product of key 102 was stored a moment ago and is gone.');
    phone.price = new Money(64900, 'EUR');
    await em.flush();
  });
}

async function refuseMove(shop: ShardedShop, print: Print): Promise<void> {
  print('4. A shard key cannot change: nobody would find the row again');
  const em = shop.factory.create();
  const laptop = await em.findOne(ShopProduct, { shardKey: 101 });
  if (laptop) laptop.shardKey = 104;
  const refusal = await em.flush().catch((error: unknown) => error);
  if (!(refusal instanceof ShardKeyChangedError)) throw new Error('The change of a shard key was not refused.');
  print(`   ${refusal.code}: ${refusal.message}`);
  print();
}

async function showAuditTrail(shop: ShardedShop, print: Print): Promise<void> {
  print('5. The audit trail: every entry beside the row it tells of, written by the same transaction');
  const em = shop.factory.create();
  const entries = await em.find(AuditEntry, {}, { orderBy: { id: 'asc' } });
  for (const entry of entries) {
    print(`   ${em.shardOf(entry)}  ${entry.action}  ${entry.entityName}  by ${entry.actorEmail}  ${entry.changes}`);
  }
  print();
}

function explain(em: ShardedEntityManager, where: { shardKey?: number }, print: Print): void {
  const { shards, by } = em.explainRoute(ShopProduct, where);
  print(`   route of ${JSON.stringify(where)}: ${shards.join(', ')} (by ${by})`);
}

/** Runs `fn` and prints what was sent to which shard meanwhile. */
async function showStatements(shop: ShardedShop, print: Print, fn: () => Promise<unknown>): Promise<void> {
  shop.sent.length = 0;
  await fn();
  for (const { shard, sql } of shop.sent) print(`   ${shard} │ ${sql.length > 150 ? `${sql.slice(0, 150)} …` : sql}`);
  print();
}

function price({ price: { amount, currency } }: ShopProduct): string {
  return `${(amount / 100).toFixed(2)} ${currency}`;
}
