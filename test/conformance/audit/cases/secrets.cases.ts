import { expect } from '@jest/globals';
import { Money } from '#libs/persistence';
import { Account } from '../audit.model.js';
import type { AuditCase } from '../audit-case.js';
import type { AuditWorld } from '../audit-world.js';

const SECRETS = ['key-of-acme', 'key-of-globex', 'hash-of-acme', 'hash-of-globex', '987654', '123789'];

/** All that the database holds of the trail, as text. */
async function everythingIn(world: AuditWorld): Promise<string> {
  await world.entries();
  return JSON.stringify(await world.execute('select * from audit_entry where tenant_id = ?', [world.tenant.id]));
}

export const secretCases: AuditCase[] = [
  {
    title: 'tells that a secret changed, and its value nowhere',
    control: 'talkative',
    async run(world) {
      const { id } = await world.write((em) =>
        em.create(Account, {
          name: 'Acme',
          apiKey: 'key-of-acme',
          passwordHash: 'hash-of-acme',
          limit: new Money(987654, 'EUR'),
        }),
      );
      await world.write(async (em) => {
        const account = await em.findOneOrFail(Account, { id } as never);
        account.apiKey = 'key-of-globex';
        account.passwordHash = 'hash-of-globex';
        account.limit = new Money(123789, 'USD');
      });
      await world.write((em) => void em.remove(em.getReference(Account, id as never)));
      const secret = { secret: true };
      const secrets = { apiKey: secret, passwordHash: secret, 'limit.amount': secret };
      const [created, updated, deleted] = await world.entries();
      expect(created?.changes).toMatchObject({ name: { new: 'Acme' }, 'limit.currency': { new: 'EUR' }, ...secrets });
      expect(updated?.changes).toEqual({
        'limit.currency': { old: 'EUR', new: 'USD' },
        slug: expect.anything(),
        ...secrets,
      });
      expect(deleted?.changes).toMatchObject(secrets);
      const all = await everythingIn(world);
      for (const value of SECRETS) expect(all).not.toContain(value);
    },
  },
  {
    title: 'tells no secret to readers of the trail',
    control: 'talkative',
    async run(world) {
      await world.write((em) =>
        em.create(Account, { name: 'Acme', apiKey: 'key-of-acme', passwordHash: 'hash-of-acme' }),
      );
      await world.entries();
      const { entries } = await world.as(() => world.trail.list());
      expect(entries).toHaveLength(1);
      const shown = JSON.stringify(entries);
      for (const value of SECRETS) expect(shown).not.toContain(value);
    },
  },
];
