import { existsSync } from 'node:fs';
import { type AppConfig, readConfig } from './app.config.js';

/**
 * The configuration of this process: its environment, and what a `.env` file in the working folder adds to it.
 * @throws {ConfigError} with every problem at once
 */
export function loadConfig(): AppConfig {
  if (existsSync('.env')) process.loadEnvFile('.env');
  return readConfig(process.env);
}
