import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import pino from 'pino';
import { AppModule } from './app.module.js';
import type { AppConfig } from './config/app.config.js';
import { prepareDataDir } from './config/data-dir.js';
import { NestLogger } from './nest-logger.js';
import { assertSessions } from './storage/assert-sessions.js';

const STANDARD_ERROR = 2;

/**
 * The application without HTTP, for commands and jobs: the same modules on the same databases. Its log goes to standard
 * error, since standard output belongs to the command. The caller closes it.
 *
 * @throws {ConfigError} when the data folder cannot be used
 * @throws {TransactionPoolerError} as the start does: what a command does for a tenant must not meet another's session
 */
export async function createAppContext(config: AppConfig): Promise<INestApplicationContext> {
  prepareDataDir(config);
  await assertSessions(config);
  const logger = new NestLogger(pino({ level: config.logLevel, base: undefined }, pino.destination(STANDARD_ERROR)));
  return NestFactory.createApplicationContext(AppModule.forConfig(config), { logger, abortOnError: false });
}
