import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller, Module, Post } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { currentContext } from '#libs/context';
import { installContextHook } from '../context.hook.js';
import { ProblemFilter } from '../problem.filter.js';
import { ReasonGuard } from './reason.guard.js';
import { RequireReason } from './require-reason.decorator.js';

const done: (string | undefined)[] = [];

@Controller()
class RepairController {
  @RequireReason()
  @Post('repair')
  repair(): void {
    done.push(currentContext().reason);
  }

  @Post('change')
  change(): void {
    done.push(currentContext().reason);
  }
}

@Module({
  controllers: [RepairController],
  providers: [
    { provide: APP_GUARD, useClass: ReasonGuard },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
})
class RepairModule {}

describe('a route that requires a reason', () => {
  let app: NestFastifyApplication;
  beforeAll(async () => {
    const module = await Test.createTestingModule({ imports: [RepairModule] }).compile();
    app = module.createNestApplication<NestFastifyApplication>(new FastifyAdapter());
    installContextHook(app.getHttpAdapter().getInstance());
    await app.init();
    await app.getHttpAdapter().getInstance().ready();
  });
  afterAll(() => app.close());

  const post = (url: string, reason?: string) =>
    app.inject({ method: 'POST', url, headers: reason === undefined ? {} : { 'x-audit-reason': reason } });
  const doneBy = async (...call: Parameters<typeof post>) => {
    done.length = 0;
    const { statusCode } = await post(...call);
    return { statusCode, done: [...done] };
  };

  it('answers 400 without one, or with an empty one, and does nothing', async () => {
    for (const reason of [undefined, '', '   ']) {
      expect(await doneBy('/repair', reason)).toEqual({ statusCode: 400, done: [] });
    }
    expect(JSON.parse((await post('/repair')).payload)).toMatchObject({ code: 'reason_required' });
  });

  it('runs with one, which the context carries to the audit trail', async () => {
    expect(await doneBy('/repair', ' ticket 4711 ')).toEqual({ statusCode: 201, done: ['ticket 4711'] });
    const utf8 = Buffer.from('Prüfung', 'utf8').toString('latin1');
    expect((await doneBy('/repair', utf8)).done).toEqual(['Prüfung']);
  });

  it('leaves other routes alone, and carries the reason of who gives one', async () => {
    expect(await doneBy('/change')).toEqual({ statusCode: 201, done: [undefined] });
    expect(await doneBy('/change', 'asked for')).toEqual({ statusCode: 201, done: ['asked for'] });
  });

  it('keeps nothing of one request for the next', async () => {
    await post('/repair', 'ticket 4711');
    expect(await doneBy('/repair')).toEqual({ statusCode: 400, done: [] });
  });
});
