import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { getEngine } from '#libs/persistence';
import type { ShardDefinition, TransactionMode } from '#libs/sharding';
import { type IsolationStrategyName, strategyEngines } from '#libs/tenancy';
import { ConfigError, type ConfigProblem } from './config.error.js';
import { tenantDatabaseLimits } from './connection-budget.js';
import { type Environment, environmentSchema } from './environment.schema.js';

/** Who runs the platform. */
export interface OperatorAccount {
  readonly email: string;
  readonly password: string;
}

/** Everything the application is told from outside, checked and typed. Injected; nothing else reads the environment. */
export class AppConfig {
  readonly production: boolean;
  readonly host: string;
  readonly port: number;
  /** Absolute path. */
  readonly dataDir: string;
  readonly centralUrl: string;
  readonly shards: readonly ShardDefinition[];
  readonly shardTimeoutMs: number;
  /** Mode of sharded EntityManagers: give it to `createShardedEntityManagerFactory`. With `atomic` every shard can. */
  readonly shardTransactions: TransactionMode;
  /** Connections to one database. */
  readonly poolMax: number;
  /** Connections of this process to databases of tenants, at most. */
  readonly connectionBudget: number;
  /** Whether every statement is logged. */
  readonly logSql: boolean;
  /** Role of application work on PostgreSQL; `undefined` means: as the user of the URL, and policies are not checked. */
  readonly databaseRole: string | undefined;
  readonly defaultStrategy: IsolationStrategyName;
  /** `undefined` outside production means: make one and keep it in `dataDir`. */
  readonly jwtSecret: string | undefined;
  /** Absolute path. */
  readonly auditKeysFile: string;
  readonly operator: OperatorAccount | undefined;
  readonly seedDemo: boolean;
  readonly logLevel: Environment['LOG_LEVEL'];
  /** Sub-domains of it are slugs; `undefined`: none are. */
  readonly tenantBaseDomain: string | undefined;
  /** Whose `X-Forwarded-*` counts; empty is nobody's. */
  readonly trustedProxies: readonly string[];
  /** How long a change that another process made may go unnoticed where no Redis tells of it. */
  readonly cacheCheckMs: number;
  /** Requests a minute; 0 is no limit. */
  readonly limits: { readonly tenant: number; readonly actor: number; readonly address: number };
  /** `undefined` means: limits are counted in this process. */
  readonly redisUrl: string | undefined;
  readonly auditOnFailure: Environment['AUDIT_ON_FAILURE'];
  /** Whether requests are counted and `/metrics` is there. */
  readonly hasMetrics: boolean;
  /** Who may read `/metrics`; `undefined` is everybody. */
  readonly metricsToken: string | undefined;

  constructor(environment: Environment) {
    this.production = environment.NODE_ENV === 'production';
    this.host = environment.HOST;
    this.port = environment.PORT;
    this.dataDir = resolve(environment.DATA_DIR);
    this.centralUrl = environment.CENTRAL_URL ?? this.#embedded('central');
    this.shards = environment.SHARDS ?? ['shard-1', 'shard-2'].map((id) => ({ id, url: this.#embedded(id) }));
    this.shardTimeoutMs = environment.SHARD_TIMEOUT_MS;
    this.shardTransactions = environment.SHARD_TRANSACTIONS;
    this.poolMax = environment.POOL_MAX;
    this.connectionBudget = environment.CONNECTION_BUDGET;
    this.logSql = environment.LOG_SQL ?? false;
    this.databaseRole = environment.ROW_SECURITY === 'enforced' ? environment.DATABASE_ROLE : undefined;
    this.defaultStrategy = environment.DEFAULT_STRATEGY;
    this.jwtSecret = environment.JWT_SECRET;
    this.auditKeysFile = resolve(environment.AUDIT_KEYS_FILE ?? join(this.dataDir, 'audit-keys.json'));
    this.operator = this.#operator(environment);
    this.seedDemo = environment.SEED_DEMO ?? !this.production;
    this.logLevel = environment.LOG_LEVEL;
    // Browsers take every sub-domain of localhost for this machine, so that sub-domains can be tried as they are.
    this.tenantBaseDomain = environment.TENANT_BASE_DOMAIN ?? (this.production ? undefined : 'localhost');
    this.trustedProxies = environment.TRUST_PROXY ?? [];
    this.cacheCheckMs = environment.CACHE_CHECK_MS;
    this.limits = this.#limits(environment);
    this.redisUrl = environment.REDIS_URL;
    this.auditOnFailure = environment.AUDIT_ON_FAILURE;
    this.metricsToken = environment.METRICS_TOKEN;
    this.hasMetrics = !this.production || this.metricsToken !== undefined;
  }

  #embedded(name: string): string {
    return `sqlite:${join(this.dataDir, `${name}.sqlite`)}`;
  }

  /** Outside production they are out of the way of load tests and of everybody behind one address. */
  #limits(environment: Environment): AppConfig['limits'] {
    const scale = this.production ? 1 : 10;
    const { RATE_LIMIT_TENANT, RATE_LIMIT_ACTOR, RATE_LIMIT_ADDRESS } = environment;
    return {
      tenant: RATE_LIMIT_TENANT ?? 60_000 * scale,
      actor: RATE_LIMIT_ACTOR ?? 30_000 * scale,
      address: RATE_LIMIT_ADDRESS ?? 600 * scale,
    };
  }

  #operator({ OPERATOR_EMAIL: email, OPERATOR_PASSWORD: password }: Environment): OperatorAccount | undefined {
    if (email && password) return { email, password };
    return this.production ? undefined : DEMO_OPERATOR;
  }
}

/** Made outside production, so that the operator's routes can be tried at once. */
export const DEMO_OPERATOR: OperatorAccount = {
  email: 'operator@rowhouse.example',
  password: 'operator-demo-password',
};

/**
 * Reads the configuration from environment variables.
 * @throws {ConfigError} with every problem at once
 */
export function readConfig(variables: Readonly<Record<string, string | undefined>>): AppConfig {
  const problems: ConfigProblem[] = [];
  // An empty variable is an unset one: `PORT= npm start` and empty lines of a compose file mean "the default".
  const given = Object.fromEntries(
    Object.entries(variables).filter(([, value]) => value !== undefined && value !== ''),
  );
  readSecretFile(given, problems);
  const parsed = environmentSchema.safeParse(given);
  for (const issue of parsed.error?.issues ?? []) {
    problems.push({ name: String(issue.path[0] ?? 'environment'), remedy: issue.message });
  }
  problems.push(...productionProblems(given, problems));
  if (problems.length > 0 || !parsed.success) throw new ConfigError(problems);
  const config = new AppConfig(parsed.data);
  assertStrategyPossible(config);
  assertTransactionsPossible(config);
  tenantDatabaseLimits(config);
  return config;
}

/** @throws {ConfigError} when no shard is of an engine that can express the strategy of new tenants */
function assertStrategyPossible({ defaultStrategy, shards }: AppConfig): void {
  const names = shards.map(({ url }) => getEngine(url).name);
  if (names.some((name) => strategyEngines[defaultStrategy].includes(name))) return;
  const remedy = `"${defaultStrategy}" needs a shard on ${strategyEngines[defaultStrategy].join(', ')}`;
  throw new ConfigError([{ name: 'DEFAULT_STRATEGY', remedy }]);
}

/** @throws {ConfigError} for a shard that could not take part in the mode `atomic` */
function assertTransactionsPossible({ shardTransactions, shards }: AppConfig): void {
  const unable = shards.filter(({ url }) => !getEngine(url).twoPhase).map(({ id }) => id);
  if (shardTransactions !== 'atomic' || unable.length === 0) return;
  const remedy = `"atomic" needs shards on postgresql, mariadb or mysql: ${unable.join(', ')} cannot take part`;
  throw new ConfigError([{ name: 'SHARD_TRANSACTIONS', remedy }]);
}

function readSecretFile(variables: Record<string, string | undefined>, problems: ConfigProblem[]): void {
  const file = variables.JWT_SECRET_FILE;
  if (!file) return;
  try {
    variables.JWT_SECRET = readFileSync(file, 'utf8').trim();
  } catch (error) {
    problems.push({ name: 'JWT_SECRET_FILE', remedy: `cannot be read (${(error as NodeJS.ErrnoException).code})` });
  }
}

/** Words that stand in examples and in tutorials, never in a secret. */
const PLACEHOLDER = /change|example|placeholder|secret|demo|password|rowhouse|^(.)\1*$/i;

/** What is good enough to try Rowhouse but not to run it; of variables that are not found fault with already. */
function productionProblems(
  variables: Readonly<Record<string, string | undefined>>,
  found: readonly ConfigProblem[],
): ConfigProblem[] {
  if (variables.NODE_ENV !== 'production') return [];
  const problems: ConfigProblem[] = [];
  const { JWT_SECRET: secret, OPERATOR_EMAIL: email, OPERATOR_PASSWORD: password } = variables;
  const { METRICS_TOKEN: metricsToken } = variables;
  if (variables.ROW_SECURITY === 'unchecked') {
    problems.push({ name: 'ROW_SECURITY', remedy: 'may not be unchecked in production; leave it out' });
  }
  const flawed = new Set(found.map(({ name }) => name));
  if (!secret && !flawed.has('JWT_SECRET_FILE')) {
    problems.push({ name: 'JWT_SECRET', remedy: 'is needed in production; make one: openssl rand -base64 48' });
  } else if (secret && !flawed.has('JWT_SECRET') && PLACEHOLDER.test(secret)) {
    problems.push({ name: 'JWT_SECRET', remedy: 'looks like a placeholder; make one: openssl rand -base64 48' });
  }
  if (password && PLACEHOLDER.test(password)) {
    problems.push({ name: 'OPERATOR_PASSWORD', remedy: 'looks like a placeholder; choose a real one' });
  }
  if (metricsToken && PLACEHOLDER.test(metricsToken)) {
    problems.push({ name: 'METRICS_TOKEN', remedy: 'looks like a placeholder; make one: openssl rand -base64 24' });
  }
  if (Boolean(email) !== Boolean(password)) {
    problems.push({ name: 'OPERATOR_EMAIL, OPERATOR_PASSWORD', remedy: 'give both, or neither' });
  }
  return problems;
}
