import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OpenAPIObject } from '@nestjs/swagger';
import { readConfig } from './config/app.config.js';
import { createApp } from './create-app.js';
import { createOpenApiDocument } from './http/open-api.js';

/** The description of this build's API, made without a database: for tools, where an instance shows none of itself. */
export async function describeApi(): Promise<OpenAPIObject> {
  const dataDir = mkdtempSync(join(tmpdir(), 'rowhouse-describe-'));
  const app = await createApp(readConfig({ DATA_DIR: dataDir, LOG_LEVEL: 'silent', SEED_DEMO: 'false' }));
  try {
    return createOpenApiDocument(app);
  } finally {
    await app.close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}
