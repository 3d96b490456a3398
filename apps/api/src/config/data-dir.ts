import { randomBytes } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AppConfig } from './app.config.js';
import { ConfigError } from './config.error.js';
import { makeFile } from './make-file.js';

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

/**
 * The signing key: the configured one, else one made at the first start and kept in the data folder for its owner only.
 * @throws {ConfigError} when the file that was made holds none
 */
export function getJwtSecret(config: AppConfig): string {
  if (config.jwtSecret) return config.jwtSecret;
  const file = join(config.dataDir, 'jwt-secret');
  if (!existsSync(file)) makeFile(file, randomBytes(48).toString('base64url'));
  const secret = readFileSync(file, 'utf8').trim();
  if (secret !== '') return secret;
  throw new ConfigError([
    { name: 'JWT_SECRET', remedy: `the file "${file}" is empty; remove it, and a new key is made` },
  ]);
}
