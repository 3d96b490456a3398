import { randomBytes } from 'node:crypto';
import { accessSync, constants, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppConfig } from './app.config.js';
import { ConfigError } from './config.error.js';

/**
 * Makes the data folder and checks that it can be written.
 * @throws {ConfigError} when it cannot
 */
export function prepareDataDir({ dataDir }: AppConfig): void {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code;
    const remedy = `the folder "${dataDir}" cannot be written (${reason}); make it writable or choose another one`;
    throw new ConfigError([{ name: 'DATA_DIR', remedy }]);
  }
}

/** The signing key: the configured one, else one made at the first start and kept in the data folder for its owner only. */
export function getJwtSecret(config: AppConfig): string {
  if (config.jwtSecret) return config.jwtSecret;
  const file = join(config.dataDir, 'jwt-secret');
  try {
    // `wx` fails when the file exists, so two processes that start at once agree on one secret.
    writeFileSync(file, randomBytes(48).toString('base64url'), { flag: 'wx', mode: 0o600 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  return readFileSync(file, 'utf8').trim();
}
