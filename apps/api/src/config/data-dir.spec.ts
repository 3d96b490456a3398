import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readConfig } from './app.config.js';
import { ConfigError } from './config.error.js';
import { getJwtSecret } from './data-dir.js';

describe('the signing key', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'rowhouse-data-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));
  const config = (environment = {}) => readConfig({ NODE_ENV: 'test', DATA_DIR: dataDir, ...environment });

  it('is made once, for its owner alone, and stays', () => {
    const secret = getJwtSecret(config());
    const file = join(dataDir, 'jwt-secret');
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual([secret, 0o600]);
    expect(getJwtSecret(config())).toBe(secret);
    expect(getJwtSecret(config({ JWT_SECRET: 'x'.repeat(40) }))).toBe('x'.repeat(40));
  });

  it('is never empty, whatever became of its file', () => {
    getJwtSecret(config());
    truncateSync(join(dataDir, 'jwt-secret'));
    expect(() => getJwtSecret(config())).toThrow(ConfigError);
  });
});
