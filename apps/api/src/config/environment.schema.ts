import { isIP } from 'node:net';
import { z } from 'zod';
import { getEngine } from '#libs/persistence';
import { parseShards } from '#libs/sharding';
import { strategyNames } from '#libs/tenancy';

const databaseUrl = z.string().superRefine((url, context) => {
  reportTo(context, () => getEngine(url));
});

/** A boolean spelled out: an empty or misspelt switch must not silently mean "off". */
const toggle = z.enum(['true', 'false'], { error: 'say true or false' }).transform((value) => value === 'true');

/** Turns what `parse` throws into problems of this field; keeps its result otherwise. */
function reportTo<T>(context: z.RefinementCtx, parse: () => T): T | undefined {
  try {
    return parse();
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return undefined;
  }
}

const requestsPerMinute = z.coerce
  .number({ error: 'give a whole number of requests a minute; 0 is no limit' })
  .int('give a whole number of requests a minute; 0 is no limit')
  .min(0, 'give a whole number of requests a minute; 0 is no limit')
  .optional();

const PROXY = /^(?:loopback|linklocal|uniquelocal|[\da-f.:]+(?:\/\d{1,3})?)$/i;
const PROXY_REMEDY =
  'list the addresses or networks of your proxies: 10.0.0.5,10.1.0.0/16, or loopback, linklocal, uniquelocal';

/** Never "everybody": who may speak for a proxy may choose the host and the address that requests seem to come from. */
const proxies = z
  .string()
  .transform((text) => text.split(',').map((it) => it.trim()))
  .refine((list) => list.every((it) => isProxy(it)), PROXY_REMEDY);

function isProxy(text: string): boolean {
  const [address = '', bits = '32'] = text.split('/');
  if (!PROXY.test(text)) return false;
  if (/^[a-z]+$/i.test(text) && isIP(text) === 0) return ['loopback', 'linklocal', 'uniquelocal'].includes(text);
  return isIP(address) !== 0 && Number(bits) > 0 && Number(bits) <= (isIP(address) === 4 ? 32 : 128);
}

/**
 * Every environment variable the application reads: its form, default and meaning. `.env.example` and the check of the
 * compose files are made from this.
 */
export const environmentSchema = z.object({
  NODE_ENV: z
    .enum(['development', 'production', 'test'], { error: 'say development, production or test' })
    .default('development')
    .describe('production refuses placeholder secrets and makes no demo data'),
  HOST: z.string().min(1).default('127.0.0.1').describe('address the API listens on'),
  PORT: z.coerce
    .number({ error: 'give a port number from 0 to 65535' })
    .int('give a port number from 0 to 65535')
    .min(0, 'give a port number from 0 to 65535')
    .max(65_535, 'give a port number from 0 to 65535')
    .default(3000)
    .describe('port the API listens on; 0 takes a free one'),
  DATA_DIR: z.string().min(1).default('./data').describe('folder of the embedded databases'),
  CENTRAL_URL: databaseUrl.optional().describe('central database; default: sqlite in DATA_DIR'),
  SHARDS: z
    .string()
    .transform((text, context) => reportTo(context, () => parseShards(text)) ?? z.NEVER)
    .optional()
    .describe('shard-1=<url>,shard-2=<url>,…; replicas shard-1.replica=<url>; default: two sqlite files in DATA_DIR'),
  SHARD_TIMEOUT_MS: z.coerce
    .number({ error: 'give milliseconds from 100' })
    .int('give milliseconds from 100')
    .min(100, 'give milliseconds from 100')
    .default(30_000)
    .describe('how long a shard may take to answer a statement, in milliseconds; connecting takes at most 5 000'),
  SHARD_TRANSACTIONS: z
    .enum(['single', 'multi', 'atomic'], { error: 'say single, multi or atomic' })
    .default('single')
    .describe(
      'what may write to several shards at once: single refuses it, multi commits one after another, atomic by two-phase commit, which the start asks every shard for',
    ),
  DATABASE_ROLE: z
    .string()
    .regex(/^[a-z_][a-z0-9_]{0,62}$/, 'give a role name of small letters, digits and _')
    .default('rowhouse_app')
    .describe('PostgreSQL: role that requests run as; it owns nothing, and the user of the URL makes it when missing'),
  ROW_SECURITY: z
    .enum(['enforced', 'unchecked'], { error: 'say enforced or unchecked' })
    .default('enforced')
    .describe(
      'PostgreSQL: unchecked starts without looking at policies and runs as the user of the URL, for development only',
    ),
  CONNECTION_BUDGET: z.coerce
    .number({ error: 'give a whole number of connections' })
    .int('give a whole number of connections')
    .min(1, 'give a whole number of connections')
    .default(200)
    .describe(
      'connections of this process to tenants, at most: those of the shards, and what is left for databases of single tenants, two each (one file each on sqlite)',
    ),
  POOL_MAX: z.coerce
    .number({ error: 'give a number of connections from 1' })
    .int('give a number of connections from 1')
    .min(1, 'give a number of connections from 1')
    .default(10)
    .describe('connections to each database at most, of each process; sqlite has one for each file'),
  LOG_SQL: toggle
    .optional()
    .describe(
      'show every statement in the log, without values; outside production also for a request with X-Log-Sql: true',
    ),
  DEFAULT_STRATEGY: z
    .enum(strategyNames, { error: `say ${strategyNames.join(', ')}` })
    .default('row')
    .describe('isolation of new tenants: row, schema, search-path or database, as far as the engines of SHARDS can'),
  TENANT_BASE_DOMAIN: z
    .string()
    .toLowerCase()
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/, 'give a domain such as rowhouse.example')
    .optional()
    .describe('domain whose sub-domains name tenants; default: none in production, localhost outside'),
  TRUST_PROXY: proxies
    .optional()
    .describe('proxies whose X-Forwarded-For and X-Forwarded-Host count: addresses, networks; default: none'),
  CACHE_CHECK_MS: z.coerce
    .number({ error: 'give milliseconds' })
    .int('give milliseconds')
    .min(0, 'give milliseconds')
    .max(30_000, 'give at most 30 000 milliseconds')
    .default(1_000)
    .describe(
      'how long what another process changed of tenants, people and keys may go unnoticed without Redis, in ms',
    ),
  JWT_SECRET: z
    .string()
    .min(32, 'give at least 32 random characters')
    .optional()
    .describe('signing key, at least 32 characters; made and kept in DATA_DIR outside production'),
  JWT_SECRET_FILE: z.string().min(1).optional().describe('file to read JWT_SECRET from'),
  AUDIT_KEYS_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('keys that seal the audit trail, shared by all processes; made when it is missing; default: in DATA_DIR'),
  OPERATOR_EMAIL: z.email('give an e-mail address').optional().describe('first platform operator, ensured at start-up'),
  OPERATOR_PASSWORD: z
    .string()
    .min(12, 'give at least 12 characters')
    .optional()
    .describe('password of the platform operator, at least 12 characters'),
  SEED_DEMO: toggle.optional().describe('whether to make the demo tenants; default: true outside production'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], { error: 'give a pino level, such as info' })
    .default('info')
    .describe('pino level'),
  RATE_LIMIT_TENANT: requestsPerMinute.describe(
    'requests a minute of one tenant; 0 is no limit; default: 60000 in production, 600000 outside',
  ),
  RATE_LIMIT_ACTOR: requestsPerMinute.describe(
    'requests a minute of one person or API key; 0 is no limit; default: 30000 in production, 300000 outside',
  ),
  RATE_LIMIT_ADDRESS: requestsPerMinute.describe(
    'sign-ups, log-ins and failed credentials a minute from one address; 0 is no limit; default: 600 in production, 6000 outside',
  ),
  REDIS_URL: z
    .url({ protocol: /^rediss?$/, error: 'give a URL such as redis://host:6379' })
    .optional()
    .describe('shares limits, and changes of tenants and people, between processes; default: see CACHE_CHECK_MS'),
  AUDIT_ON_FAILURE: z
    .enum(['refuse', 'log'], { error: 'say refuse or log' })
    .default('refuse')
    .describe('what becomes of a change whose audit entry cannot be written: refuse rolls it back, log leaves a gap'),
  METRICS_TOKEN: z
    .string()
    .min(16, 'give at least 16 random characters')
    .regex(/^[\x21-\x7e]*$/, 'give printable characters without spaces')
    .optional()
    .describe('opens /metrics to who sends it as "Authorization: Bearer"; default: open, and closed in production'),
});

/** The environment as the schema understood it. */
export type Environment = z.output<typeof environmentSchema>;
