import { once } from 'node:events';
import { createServer } from 'node:net';
import { ShutdownSignal } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { SealScheduler } from '#libs/audit';
import type { AppConfig } from './config/app.config.js';
import { ConfigError } from './config/config.error.js';
import { createApp } from './create-app.js';
import { describeDemo } from './demo/demo-banner.js';
import { prepareData } from './prepare-data.js';

/** Progress of the start goes to people, on standard error: standard output is the log. */
const say = (line: string) => console.error(line);

/**
 * Asks for the port before anything is opened, migrated or seeded.
 * @throws {ConfigError} when somebody else listens there, or we may not
 */
async function assertPortIsFree({ host, port }: AppConfig): Promise<void> {
  const probe = createServer();
  try {
    probe.listen(port, host);
    await once(probe, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const remedy =
      code === 'EADDRINUSE'
        ? `${port} is in use; stop what listens there, or choose another: PORT=${port + 1}`
        : `cannot listen on ${host}:${port} (${code}); choose another HOST or PORT`;
    throw new ConfigError([{ name: 'PORT', remedy }]);
  } finally {
    probe.close();
  }
}

/**
 * Migrates, seeds, listens, and says how to try it.
 * @throws {ConfigError} when the port or the data folder cannot be used
 */
export async function startServer(config: AppConfig): Promise<NestFastifyApplication> {
  await assertPortIsFree(config);
  const app = await createApp(config);
  // On SIGINT and SIGTERM: no new requests, running ones finish, databases close, exit code 0.
  app.enableShutdownHooks([ShutdownSignal.SIGINT, ShutdownSignal.SIGTERM], { useProcessExit: true });
  await prepareData(app, config, say);
  await app.listen(config.port, config.host);
  app.get(SealScheduler).start();
  const url = await app.getUrl();
  say(config.seedDemo ? describeDemo(url) : `Rowhouse listens on ${url}`);
  return app;
}
