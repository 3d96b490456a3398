import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { ShardRegistry } from '#libs/sharding';
import { Public } from '../http/access.decorators.js';
import { CentralDatabase } from '../storage/central-database.js';

const PING_DEADLINE_MS = 2_000;

/** Answers for orchestrators. `livez` asks nobody; `readyz` asks the databases. */
@Public()
@Controller()
export class HealthController {
  constructor(
    private readonly central: CentralDatabase,
    private readonly shards: ShardRegistry,
  ) {}

  @Get('livez')
  live() {
    return { status: 'ok' };
  }

  /** 200 while the central database and at least one shard answer: one lost shard is its own tenants' trouble only. */
  @Get('readyz')
  async ready(@Res({ passthrough: true }) reply: FastifyReply) {
    const [central, shards] = await Promise.all([
      this.central.orm.isConnected(),
      this.shards.pingAll(PING_DEADLINE_MS),
    ]);
    const up = shards.filter((shard) => shard.ok).length;
    const ready = central && up > 0;
    if (!ready) reply.code(503);
    const status = !ready ? 'unavailable' : up < shards.length ? 'degraded' : 'ok';
    return { status, central: { ok: central }, shards };
  }
}
