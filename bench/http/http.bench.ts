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
  const bare = await ServerProcess.start('./bare.server.ts', {
    FILE: shardFileOf(dataDir, String(facts.tenantId)),
    TENANT_ID: String(facts.tenantId),
    PATH_ASKED: path,
  });
  deepStrictEqual(await app.answer(), await bare.answer());
  return {
    title: `${REQUESTS} × GET /v1/products/:id over 16 connections, CPU of the server`,
    by: 'cpu',
    control: createContender('bare Fastify, own token check, one driver query', bare),
    contenders: [createContender('Rowhouse', app)],
    budgets: { Rowhouse: BUDGET },
    async close() {
      await Promise.all([app.stop(), bare.stop()]);
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
