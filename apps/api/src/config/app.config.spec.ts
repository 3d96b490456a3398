import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { DEMO_OPERATOR, readConfig } from './app.config.js';
import { ConfigError } from './config.error.js';
import { tenantDatabaseLimits } from './connection-budget.js';
import { renderEnvExample } from './env-example.js';

const secret = 'f3Q9rL0vXw2mZt7yKc5bNh8jUa1sEd4g';

/** The names of the variables a configuration is refused for. */
function problemsOf(variables: Record<string, string>): string[] {
  try {
    readConfig(variables);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ name }) => name);
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  it('needs nothing: two sqlite shards, a demo operator, demo tenants', () => {
    const config = readConfig({});
    expect(config).toMatchObject({
      host: '127.0.0.1',
      port: 3000,
      seedDemo: true,
      operator: DEMO_OPERATOR,
      production: false,
    });
    expect(config.centralUrl).toBe(`sqlite:${join(config.dataDir, 'central.sqlite')}`);
    expect(config.shards.map(({ id }) => id)).toEqual(['shard-1', 'shard-2']);
  });

  it('has limits that are generous, and ten times as generous outside production', () => {
    expect(readConfig({}).limits).toEqual({ tenant: 600_000, actor: 300_000, address: 6_000 });
    const production = readConfig({ NODE_ENV: 'production', JWT_SECRET: secret, RATE_LIMIT_ACTOR: '0' });
    expect(production.limits).toEqual({ tenant: 60_000, actor: 0, address: 600 });
  });

  it('takes an empty variable as an unset one', () => {
    expect(readConfig({ PORT: '', SHARDS: '', JWT_SECRET: '' })).toMatchObject({ port: 3000, jwtSecret: undefined });
  });

  it('reports every problem at once, each with its name and a remedy', () => {
    const wrong = {
      PORT: '70000',
      CENTRAL_URL: 'oracle://x',
      SHARDS: 'one',
      LOG_LEVEL: 'loud',
      SEED_DEMO: 'maybe',
      JWT_SECRET: 'short',
      DEFAULT_STRATEGY: 'magic',
      OPERATOR_EMAIL: 'nobody',
      RATE_LIMIT_TENANT: '-1',
      RATE_LIMIT_ACTOR: 'many',
      RATE_LIMIT_ADDRESS: '1.5',
      REDIS_URL: 'http://redis',
      METRICS_TOKEN: 'short',
    };
    expect(problemsOf(wrong).sort()).toEqual(Object.keys(wrong).sort());
    expect(() => readConfig(wrong)).toThrow(/PORT: give a port number from 0 to 65535\n/);
  });

  it('has a budget of connections with room for the shards and a database of one tenant at least', () => {
    const shards = 'a=sqlite:./a.sqlite,b=postgresql://localhost/b';
    expect(problemsOf({ SHARDS: shards, POOL_MAX: '10', CONNECTION_BUDGET: '32' })).toEqual(['CONNECTION_BUDGET']);
    expect(() => readConfig({ SHARDS: shards, CONNECTION_BUDGET: '32' })).toThrow(/give at least 33/);
    expect(tenantDatabaseLimits(readConfig({ SHARDS: shards, CONNECTION_BUDGET: '41' }))).toMatchObject({ maxOpen: 5 });
    expect(tenantDatabaseLimits(readConfig({}))).toMatchObject({ maxOpen: 198 });
  });

  it('takes a strategy for new tenants that one of the shards can express', () => {
    expect(problemsOf({ DEFAULT_STRATEGY: 'schema' })).toEqual(['DEFAULT_STRATEGY']);
    expect(() => readConfig({ DEFAULT_STRATEGY: 'search-path' })).toThrow(/"search-path" needs a shard on postgresql/);
    const Shards = 'a=sqlite:./a.sqlite,b=mariadb://localhost/b';
    expect(readConfig({ DEFAULT_STRATEGY: 'schema', SHARDS: Shards }).defaultStrategy).toBe('schema');
    expect(readConfig({ DEFAULT_STRATEGY: 'database' }).defaultStrategy).toBe('database');
  });

  it('takes the mode "atomic" where every shard can take part in it', () => {
    expect(readConfig({}).shardTransactions).toBe('single');
    expect(problemsOf({ SHARD_TRANSACTIONS: 'twophase' })).toEqual(['SHARD_TRANSACTIONS']);
    expect(problemsOf({ SHARD_TRANSACTIONS: 'atomic' })).toEqual(['SHARD_TRANSACTIONS']);
    const Shards = 'a=postgresql://localhost/a,b=mariadb://localhost/b';
    expect(readConfig({ SHARD_TRANSACTIONS: 'atomic', SHARDS: Shards }).shardTransactions).toBe('atomic');
    expect(() => readConfig({ SHARD_TRANSACTIONS: 'atomic', SHARDS: `${Shards},c=sqlite:./c.sqlite` })).toThrow(
      /c cannot take part/,
    );
    expect(readConfig({ SHARD_TRANSACTIONS: 'multi' }).shardTransactions).toBe('multi');
  });

  it('never repeats a secret or a URL that may hold a password', () => {
    const read = () => readConfig({ CENTRAL_URL: 'oracle://user:hunter2@host/db', JWT_SECRET: 'hunter2' });
    expect(read).toThrow(ConfigError);
    expect(read).not.toThrow(/hunter2/);
  });

  it.each([
    [{}, ['JWT_SECRET']],
    [{ JWT_SECRET: 'change-me-change-me-change-me-change-me' }, ['JWT_SECRET']],
    [{ JWT_SECRET: 'a'.repeat(40) }, ['JWT_SECRET']],
    [
      { JWT_SECRET: secret, OPERATOR_EMAIL: 'op@corp.test', OPERATOR_PASSWORD: 'operator-demo-password' },
      ['OPERATOR_PASSWORD'],
    ],
    [{ JWT_SECRET: secret, OPERATOR_EMAIL: 'op@corp.test' }, ['OPERATOR_EMAIL, OPERATOR_PASSWORD']],
    [{ JWT_SECRET: secret, METRICS_TOKEN: 'change-me-change-me' }, ['METRICS_TOKEN']],
    [{ JWT_SECRET: secret }, []],
  ] as [Record<string, string>, string[]][])('in production, refuses placeholders: %j', (variables, names) => {
    expect(problemsOf({ NODE_ENV: 'production', ...variables })).toEqual(names);
  });

  it('makes no demo data and no operator in production unless told to', () => {
    const config = readConfig({ NODE_ENV: 'production', JWT_SECRET: secret });
    expect(config).toMatchObject({ seedDemo: false, operator: undefined });
  });

  it('reads the secret from a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'rowhouse-config-'));
    const file = join(folder, 'secret');
    writeFileSync(file, `${secret}\n`);
    expect(readConfig({ JWT_SECRET_FILE: file }).jwtSecret).toBe(secret);
    rmSync(folder, { recursive: true });
    expect(problemsOf({ JWT_SECRET_FILE: file })).toEqual(['JWT_SECRET_FILE']);
  });

  it('is what .env.example says; if not, write renderEnvExample() to it', () => {
    expect(readFileSync('.env.example', 'utf8')).toBe(renderEnvExample());
  });
});
