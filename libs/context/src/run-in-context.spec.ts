import { EventEmitter, once } from 'node:events';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import {
  type Actor,
  currentContext,
  findContext,
  NoContextError,
  runAs,
  runInContext,
  TenantImmutableError,
} from './index.js';

const acme = { id: '0190a000-0000-7000-8000-00000000000a', slug: 'acme' };
const globex = { id: '0190a000-0000-7000-8000-00000000000b', slug: 'globex' };
const job: Actor = { id: 'nightly', type: 'job' };

describe('context', () => {
  it('is an error outside of any scope, and says what to do', () => {
    expect(findContext()).toBeUndefined();
    expect(() => currentContext()).toThrow(NoContextError);
    expect(() => currentContext()).toThrow(/runInContext/);
  });

  it('follows promises and timers of interleaved scopes that finish in the wrong order', async () => {
    const seen: Record<string, string[]> = { acme: [], globex: [] };
    const work = (tenant: typeof acme, waits: number[]) =>
      runAs({ tenant, actor: job }, async () => {
        await Promise.all(
          waits.map(async (ms) => {
            await delay(ms);
            seen[tenant.slug]?.push(currentContext().getTenant().slug);
          }),
        );
      });
    await Promise.all([work(acme, [1, 9, 17]), work(globex, [5, 3])]);
    expect(seen).toEqual({ acme: ['acme', 'acme', 'acme'], globex: ['globex', 'globex'] });
  });

  it('follows streams, timers and events that are started in it, and not those that were started before', async () => {
    const early = new EventEmitter();
    const outside = once(early, 'done').then(() => findContext()?.tenant?.slug);
    const seen: (string | undefined)[] = [];
    const look = () => void seen.push(findContext()?.tenant?.slug);
    const upper = () =>
      new Transform({
        objectMode: true,
        transform(chunk, _, done) {
          look();
          setImmediate(() => done(null, chunk));
        },
      });
    const work = (tenant: typeof acme) =>
      runAs({ tenant, actor: job }, async () => {
        await pipeline(Readable.from(['a', 'b']), upper(), async (rows) => {
          for await (const _ of rows) look();
        });
        await new Promise<void>((resolve) => {
          setTimeout(() => queueMicrotask(() => process.nextTick(resolve)), 1);
        });
        look();
        early.emit('done');
      });
    await work(acme);
    expect(seen).toEqual(Array(5).fill('acme'));
    expect(await outside).toBeUndefined();
    seen.length = 0;
    await Promise.all([work(acme), work(globex)]);
    expect(seen.filter((slug) => slug === 'acme')).toHaveLength(5);
    expect(seen.filter((slug) => slug === 'globex')).toHaveLength(5);
  });

  it('takes a tenant once and refuses a second, even the same', async () => {
    await runInContext({}, () => {
      const context = currentContext();
      expect(() => context.getTenant()).toThrow(/names no tenant/);
      context.bindTenant(acme);
      expect(() => context.bindTenant(acme)).toThrow(TenantImmutableError);
      expect(context.getTenant()).toEqual(acme);
    });
  });

  it('refuses to bind or switch the tenant while a transaction is open', async () => {
    await runInContext({ tenant: acme }, async () => {
      const leave = currentContext().enterTransaction();
      await expect(runAs({ tenant: globex, actor: job }, () => 'ran')).rejects.toThrow(TenantImmutableError);
      await expect(runInContext({ tenant: globex }, () => 'ran')).rejects.toThrow(TenantImmutableError);
      leave();
      leave();
      await expect(runAs({ tenant: globex, actor: job }, () => 'ran')).resolves.toBe('ran');
    });
    await runInContext({}, () => {
      currentContext().enterTransaction();
      expect(() => currentContext().bindTenant(acme)).toThrow(/a transaction is open/);
    });
  });

  it('restores the outer context and releases what the inner one held, also after an error', async () => {
    const released: string[] = [];
    const token = Symbol('thing');
    await runInContext({ tenant: acme, requestId: 'r-1' }, async () => {
      const failing = runAs({ tenant: globex, actor: job }, () => {
        const inner = currentContext();
        expect(inner.requestId).toBe('r-1');
        const make = () => {
          inner.onEnd(() => released.push('thing'));
          return {};
        };
        expect(inner.resource(token, make)).toBe(inner.resource(token, make));
        throw new Error('boom');
      });
      await expect(failing).rejects.toThrow('boom');
      expect(released).toEqual(['thing']);
      expect(currentContext().getTenant()).toEqual(acme);
    });
  });
});
