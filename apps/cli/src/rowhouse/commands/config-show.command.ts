import type { AppConfig } from '#apps/api';
import type { CliCall, CliCommand } from '../cli-command.js';

const WITHHELD = '(set, withheld)';

/** Passwords stand in URLs too. */
function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/[^:@/]*):[^@]*@/, '$1:***@');
}

function describeConfig(config: AppConfig): Record<string, unknown> {
  return {
    environment: config.production ? 'production' : 'development',
    listensOn: `${config.host}:${config.port}`,
    dataDir: config.dataDir,
    central: withoutPassword(config.centralUrl),
    ...Object.fromEntries(config.shards.map(({ id, url }) => [id, withoutPassword(url)])),
    defaultStrategy: config.defaultStrategy,
    jwtSecret: config.jwtSecret ? WITHHELD : 'made and kept in dataDir',
    operator: config.operator?.email,
    redis: config.redisUrl && withoutPassword(config.redisUrl),
    seedDemo: config.seedDemo,
    logLevel: config.logLevel,
  };
}

/** Shows what the environment amounts to, without its secrets. */
export const configShowCommand: CliCommand = {
  noun: 'config',
  verb: 'show',
  summary: 'show the configuration in force, secrets withheld',
  async run({ config, terminal }: CliCall) {
    terminal.object(describeConfig(config()));
  },
};
