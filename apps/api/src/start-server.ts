import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { AppConfig } from './config/app.config.js';
import { ConfigError } from './config/config.error.js';
import { createApp } from './create-app.js';
import { describeDemo } from './demo/demo-banner.js';
import { prepareData } from './prepare-data.js';

/** Progress of the start goes to people, on standard error: standard output is the log. */
const say = (line: string) => console.error(line);

async function listen(app: NestFastifyApplication, { host, port }: AppConfig): Promise<string> {
  try {
    await app.listen(port, host);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    await app.close();
    if (code === 'EADDRINUSE') {
      throw new ConfigError([
        { name: 'PORT', remedy: `${port} is in use; stop what listens there, or choose another: PORT=3001` },
      ]);
    }
    if (code === 'EACCES' || code === 'EADDRNOTAVAIL') {
      throw new ConfigError([
        { name: 'HOST, PORT', remedy: `cannot listen on ${host}:${port} (${code}); choose another` },
      ]);
    }
    throw error;
  }
  return app.getUrl();
}

/**
 * Migrates, seeds, listens, and says how to try it.
 * @throws {ConfigError} when the port or the data folder cannot be used
 */
export async function startServer(config: AppConfig): Promise<NestFastifyApplication> {
  const app = await createApp(config);
  await prepareData(app, config, say);
  const url = await listen(app, config);
  say(config.seedDemo ? describeDemo(url) : `Rowhouse listens on ${url}`);
  return app;
}
