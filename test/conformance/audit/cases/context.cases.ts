import { setTimeout as delay } from 'node:timers/promises';
import { expect } from '@jest/globals';
import { type Actor, runAs, runInContext } from '#libs/context';
import { Tag } from '#libs/testing';
import type { AuditCase } from '../audit-case.js';

export const contextCases: AuditCase[] = [
  {
    title: 'says who did it, from where, by what and why',
    control: 'contextless',
    async run(world) {
      const seed = {
        requestId: 'request-1',
        route: '/v1/tags/:id',
        method: 'PATCH',
        ip: '203.0.113.7',
        userAgent: 'curl/8',
        reason: 'ticket 4711',
      };
      const begin = Date.now();
      await world.write((em) => em.create(Tag, { name: 'one' }), seed);
      const [entry] = await world.entries();
      expect(entry).toMatchObject({
        ...seed,
        actorId: 'u-1',
        actorType: 'user',
        actorEmail: 'ada@acme.test',
        onBehalfOf: null,
        tenantId: world.tenant.id,
      });
      expect(entry?.occurredAt?.getTime()).toBeGreaterThanOrEqual(begin);
      expect(entry?.occurredAt?.getTime()).toBeLessThanOrEqual(Date.now());
    },
  },
  {
    title: 'says whom a job acts for',
    control: 'contextless',
    async run(world) {
      const actor: Actor = { id: 'nightly-report', type: 'job', onBehalfOf: 'u-1' };
      await world.write((em) => em.create(Tag, { name: 'one' }), { actor });
      expect(await world.entries()).toMatchObject([{ actorId: 'nightly-report', actorType: 'job', onBehalfOf: 'u-1' }]);
    },
  },
  {
    title: 'says anonymous when nobody is signed in, whoever was before',
    control: 'firstContext',
    async run(world) {
      await world.write((em) => em.create(Tag, { name: 'one' }));
      await runInContext({ tenant: world.tenant }, async () => {
        const em = world.database.fork();
        em.create(Tag, { name: 'two' });
        await em.flush();
      });
      const [, anonymous] = await world.entries();
      expect(anonymous).toMatchObject({ actorType: 'anonymous', actorId: null, actorEmail: null });
    },
  },
  {
    title: 'keeps two hundred interleaved requests of two tenants apart',
    control: 'firstContext',
    async run(world) {
      const tenants = [world.tenant, await world.another()] as const;
      const request = async (index: number) => {
        const tenant = tenants[index % 2 === 0 ? 0 : 1];
        const actor: Actor = { id: `user-${index}`, type: 'user' };
        await runAs({ tenant, actor, requestId: `request-${index}`, ip: `10.0.0.${index}` }, async () => {
          const em = world.database.fork();
          await delay(Math.random() * 20);
          em.create(Tag, { name: `tag ${index}` });
          await delay(Math.random() * 20);
          await em.flush();
        });
      };
      await Promise.all(Array.from({ length: 200 }, (_, index) => request(index)));
      for (const [which, tenant] of tenants.entries()) {
        const entries = await world.entries(tenant);
        expect(entries).toHaveLength(100);
        for (const { actorId, requestId, ip, changes } of entries) {
          const index = Number(/\d+/.exec(requestId ?? '')?.[0]);
          expect(index % 2).toBe(which);
          expect([actorId, ip]).toEqual([`user-${index}`, `10.0.0.${index}`]);
          expect(changes.name).toEqual({ old: null, new: `tag ${index}` });
        }
      }
    },
  },
  {
    title: 'takes the actor of a context inside a context, and the outer one again afterwards',
    control: 'firstContext',
    async run(world) {
      await world.as(async (em) => {
        em.create(Tag, { name: 'outer' });
        await em.flush();
        await world.write((inner) => inner.create(Tag, { name: 'inner' }), { actor: { id: 'job', type: 'job' } });
        em.create(Tag, { name: 'outer again' });
        await em.flush();
      });
      expect((await world.entries()).map(({ actorId }) => actorId)).toEqual(['u-1', 'job', 'u-1']);
    },
  },
  {
    title: 'fails no write over what a client sent, however long or odd',
    control: 'contextless',
    async run(world) {
      const long = `\u0000🦊${'x'.repeat(5000)}`;
      const actor: Actor = { id: long, type: 'user', email: long, onBehalfOf: long };
      const seed = { actor, requestId: long, route: long, method: long, ip: long, userAgent: long, reason: long };
      await world.write((em) => em.create(Tag, { name: 'one' }), seed);
      const [entry] = await world.entries();
      for (const value of [entry?.actorId, entry?.requestId, entry?.userAgent, entry?.reason]) {
        expect(value).toMatch(/^🦊x{50,}$/u);
      }
    },
  },
];
