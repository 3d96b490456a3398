import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createTestDatabase, eachEngine, type TestDatabase } from '#libs/testing';
import { logIn, signUp, withToken } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

// One process has one connection to sqlite, so that there the changes queue; on servers they meet in the locks.
eachEngine((engine) => {
  let central: TestDatabase;
  let test: TestApp;
  beforeAll(async () => {
    central = await createTestDatabase(engine);
    test = await startTestApp({ CENTRAL_URL: central.url });
  }, 60_000);
  afterAll(async () => {
    await test.close();
    await central.drop();
  });

  it('of three owners who demote each other in a ring, at least one stays', async () => {
    for (let round = 0; round < 5; round++) {
      const tenant = await signUp(test.app, `ring-${round}`);
      const { body: me } = await tenant.owner.call('/v1/auth/me');
      const owners = [{ id: me.user.id as string, client: tenant.owner }];
      for (const name of ['second', 'third']) {
        const person = { email: `${name}-${round}@ring.example`, name, password: 'long enough', role: 'owner' };
        const { body } = await tenant.owner.call('/v1/members', { body: person });
        const token = await logIn(test.app, person.email, person.password);
        owners.push({ id: body.id, client: withToken(test.app, token) });
      }
      const answers = await Promise.all(
        owners.map(({ client }, index) =>
          client.call(`/v1/members/${owners[(index + 1) % 3]?.id}`, { method: 'PATCH', body: { role: 'viewer' } }),
        ),
      );
      const statuses = answers.map(({ status }) => status);
      // Who was demoted a moment ago may demote nobody any more.
      expect(statuses.every((status) => [200, 403, 409].includes(status))).toBe(true);
      expect(statuses).toContain(200);
      const { body } = await tenant.owner.call('/v1/members');
      const left = body.data.filter(({ role }: { role: string }) => role === 'owner').length;
      expect(left).toBe(3 - statuses.filter((status) => status === 200).length);
      expect(left).toBeGreaterThanOrEqual(1);
    }
  });
});
