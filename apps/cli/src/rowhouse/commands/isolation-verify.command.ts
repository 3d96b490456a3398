import { describeApi } from '#apps/api';
import { verifyIsolation } from '../../isolation/verify-isolation.js';
import type { CliCall, CliCommand } from '../cli-command.js';
import { UsageError } from '../usage.error.js';

/** Some promises do not hold: what the exit code says, too. */
class NotIsolatedError extends Error {
  readonly code = 'not_isolated';
  override readonly name = 'NotIsolatedError';
}

interface Options {
  readonly url?: string;
  readonly operatorEmail?: string;
  readonly operatorPassword?: string;
  readonly strategy: string;
  readonly shard?: string;
  readonly resource?: string;
}

/** Checks a running instance from outside. `npm run verify:isolation` is this. */
export const isolationVerifyCommand: CliCommand = {
  noun: 'isolation',
  verb: 'verify',
  summary: 'check that a running instance keeps tenants apart, with two canary tenants on each shard',
  configure: (command) =>
    command
      .option('--url <base>', 'where it answers, such as http://127.0.0.1:3000')
      .option('--operator-email <email>', 'an operator there, who makes and archives the tenants')
      .option('--operator-password <password>', 'default: the environment variable OPERATOR_PASSWORD')
      .option('--strategy <name>', 'isolation of the canary tenants', 'row')
      .option('--shard <id>', 'this shard alone')
      .option('--resource <path>', 'this resource alone, such as /v1/products, or credentials'),
  async run({ options, config, terminal }: CliCall) {
    const { url, operatorEmail, operatorPassword, strategy, shard, resource } = options as unknown as Options;
    if (!url || !URL.canParse(url) || !operatorEmail) throw new UsageError('Give --url and --operator-email.');
    const password = operatorPassword ?? config().operator?.password;
    if (!password) throw new UsageError('Give --operator-password, or set OPERATOR_PASSWORD.');
    const operator = { email: operatorEmail, password };
    const say = (line: string) => terminal.say(line);
    const found = await verifyIsolation({ url, operator, strategy, shard, resource, describe: describeApi, say });
    if (found.length === 0) throw new UsageError('There is no such resource, so nothing was shown.');
    terminal.table(
      found.map(({ holds, shard: on, resource: of, title, detail }) => ({
        result: holds ? 'holds' : 'BROKEN',
        shard: on,
        resource: of,
        promise: title,
        seen: detail ?? '',
      })),
    );
    const broken = found.filter(({ holds }) => !holds);
    if (broken.length > 0) throw new NotIsolatedError(`${broken.length} of ${found.length} promises do not hold.`);
    terminal.say(`${found.length} promises hold.`);
  },
};
