// A process of its own, which a test kills while it moves money: `move-money.child.ts <database url> <tenant id>`.
import { MoneyWorld } from './money.fixture.js';

const [url = '', tenantId = ''] = process.argv.slice(2);
const world = await MoneyWorld.open(url, tenantId);
const { held } = await world.readBooks();
// Without an end: it is killed. Each transfer that was told to have succeeded is said.
for (;;) {
  const moved = world.moveMoney(Object.keys(held)).map((transfer) => transfer.then(() => process.send?.('moved')));
  await Promise.allSettled(moved);
}
