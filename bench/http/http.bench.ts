import { deepStrictEqual } from 'node:assert';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Benchmark, Comparison, Contender } from '../benchmark.js';
import { ServerProcess } from './server-process.js';
import { shardFileOf } from './shard-file.js';

const REQUESTS = 3_000;
const BUDGET = 2;

function createContender(name: string, server: ServerProcess): Contender {
  return { name, run: async () => ({ cpuMs: await server.askFor(REQUESTS) }) };
}

async function compare(): Promise<Comparison> {
  const dataDir = mkdtempSync(join(tmpdir(), 'rowhouse-bench-'));
  const app = await ServerProcess.start('./app.server.ts', { DATA_DIR: dataDir });
  const { path, facts } = app.listening;
  const tenantId = String(facts.tenantId);
  const asked = { FILE: shardFileOf(dataDir, tenantId), TENANT_ID: tenantId, PATH_ASKED: path };
  const bare = await ServerProcess.start('./bare.server.ts', asked);
  const nest = await ServerProcess.start('./nest.server.ts', asked);
  const entity = await ServerProcess.start('./entity.server.ts', asked);
  const servers = [app, bare, nest, entity];
  for (const server of servers) deepStrictEqual(await server.answer(), await app.answer());
  return {
    title: `${REQUESTS} × GET /v1/products/:id over 16 connections, CPU of the server`,
    by: 'cpu',
    control: createContender('bare Fastify, own token check, one driver query', bare),
    contenders: [
      createContender('Rowhouse', app),
      createContender('Nest, nothing of ours, the same driver query', nest),
      createContender('bare Fastify, a managed entity behind the guard', entity),
    ],
    budgets: { Rowhouse: BUDGET },
    async close() {
      await Promise.all(servers.map((server) => server.stop()));
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** A read over HTTP, beside the least that could give the same answer. */
export const http: Benchmark = {
  name: 'http',
  about: 'an authenticated read of one product on sqlite, beside bare Fastify with the same driver query',
  async *comparisons() {
    yield await compare();
  },
};
