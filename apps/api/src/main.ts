import { ConfigError } from './config/config.error.js';
import { loadConfig } from './config/load-config.js';
import { startServer } from './start-server.js';

/** Known failures get one clear block of text; the unknown keep their stack. */
function reportAndExit(error: unknown): never {
  console.error(error instanceof ConfigError ? error.message : error);
  process.exit(1);
}

try {
  await startServer(loadConfig());
} catch (error) {
  reportAndExit(error);
}
