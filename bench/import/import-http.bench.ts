import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Benchmark, Comparison } from '../benchmark.js';
import { ServerProcess } from '../http/server-process.js';
import { shardFileOf } from '../http/shard-file.js';
import { type ImportedProduct, products, source } from './debian-packages.js';
import { RawImport } from './raw-import.js';

const BUDGET = 4;

function toLine({ sku, name, price, tags, downloadSizeKb }: ImportedProduct): string {
  const { amount, currency } = price;
  return JSON.stringify({ type: 'digital', sku, name, price: { amount, currency }, tags, downloadSizeKb });
}

async function compare(): Promise<Comparison> {
  const rows: ImportedProduct[] = [];
  for await (const product of products()) rows.push(product);
  const body = rows.map(toLine).join('\n');
  const dataDir = mkdtempSync(join(tmpdir(), 'rowhouse-bench-'));
  const app = await ServerProcess.start('./app.server.ts', { DATA_DIR: dataDir });
  const tenantId = String(app.listening.facts.tenantId);
  // The same file, tables and indexes: the server sleeps while the driver writes.
  const raw = new RawImport(shardFileOf(dataDir, tenantId), tenantId);
  const expected = { inserted: rows.length, updated: 0, unchanged: 0, rejectedCount: 0, rejected: [] };
  let report: unknown;
  return {
    title: `POST /v1/products/import of ${rows.length} products, audited, on sqlite`,
    control: {
      name: 'driver, one transaction, same product and audit rows',
      prepare: () => raw.clear(),
      run: () => raw.write(rows, rows.length),
    },
    contenders: [
      {
        name: 'Rowhouse over HTTP',
        prepare: () => raw.clear(),
        async run() {
          report = await app.post('/v1/products/import', 'application/x-ndjson', body);
        },
        verify() {
          if (JSON.stringify(report) !== JSON.stringify(expected))
            throw new Error(`It answered ${JSON.stringify(report)}`);
        },
      },
    ],
    budgets: { 'Rowhouse over HTTP': BUDGET },
    rounds: 5,
    async close() {
      raw.close();
      await app.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** The whole way of an import: stream, validation, upsert, audit. */
export const importOverHttp: Benchmark = {
  name: 'import-http',
  about: `an upload of ${source}, beside better-sqlite3 writing the same rows`,
  async *comparisons() {
    yield await compare();
  },
};
