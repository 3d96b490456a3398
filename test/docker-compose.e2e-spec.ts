import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { z } from 'zod';
import { environmentSchema } from '#apps/api';

/** Every variable the application reads. */
const KNOWN_VARIABLES = Object.keys(environmentSchema.shape);

const healthcheck = z.strictObject({
  test: z.tuple([z.literal('CMD'), z.string()], z.string()),
  interval: z.string(),
  timeout: z.string(),
  start_period: z.string().optional(),
  retries: z.int().optional(),
});

/** The part of the compose format that these files use. Strict: a misspelt key is a setting that silently does nothing. */
const service = z.strictObject({
  image: z.string().optional(),
  build: z.strictObject({ context: z.string(), dockerfile: z.string(), target: z.string().optional() }).optional(),
  command: z.array(z.string()).optional(),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.string()).default([]),
  ports: z.array(z.string()).default([]),
  volumes: z.array(z.string()).default([]),
  healthcheck: healthcheck.optional(),
  depends_on: z.record(z.string(), z.strictObject({ condition: z.literal('service_healthy') })).default({}),
  develop: z
    .strictObject({
      watch: z.array(
        z.strictObject({ action: z.enum(['sync', 'rebuild']), path: z.string(), target: z.string().optional() }),
      ),
    })
    .optional(),
  init: z.boolean().optional(),
  restart: z.literal('unless-stopped').optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.string()).optional(),
  security_opt: z.array(z.string()).optional(),
});

const composeFile = z.strictObject({
  name: z.string(),
  'x-postgresql': z.unknown().optional(),
  services: z.record(z.string(), service),
  secrets: z
    .record(z.string(), z.union([z.strictObject({ file: z.string() }), z.strictObject({ environment: z.string() })]))
    .default({}),
  volumes: z.record(z.string(), z.null()),
});

/** Values of the variables that a file asks its user for. */
const GIVEN: Readonly<Record<string, string>> = { DATABASE_PASSWORD: 'f00d' };

/** What compose makes of `${NAME}`, `${NAME:-default}` and `${NAME:?}`. */
const interpolate = (text: string) =>
  text.replace(/\$\{(\w+)(:-([^}]*)|:\?)?\}/g, (_match, name: string, _form, fallback = '') => GIVEN[name] ?? fallback);

function readCompose(path: string) {
  // Compose, too, reads the YAML first and fills the variables in afterwards.
  const raw = JSON.stringify(parse(readFileSync(path, 'utf8'), { merge: true }));
  const content = composeFile.parse(JSON.parse(interpolate(raw)));
  return { ...content, resolvePath: (relative: string) => resolve(dirname(path), relative) };
}

describe.each(['docker/compose.dev.yaml', 'docker/compose.yaml'])('%s', (path) => {
  const { services, secrets, volumes, resolvePath } = readCompose(path);
  const all = Object.entries(services);

  it('names the API, databases and Redis', () => {
    const images = all.map(([, { image = '' }]) => image.split(':')[0]);
    expect(Object.keys(services)).toEqual(expect.arrayContaining(['api', 'redis']));
    expect(images).toContain('postgres');
  });

  it('pins every image by a version tag, or builds it from this repository', () => {
    for (const [, { image, build }] of all) {
      if (build) expect(existsSync(resolvePath(`${build.context}/${build.dockerfile}`))).toBe(true);
      else expect(image).toMatch(/^[a-z]+:\d+(\.\d+)?$/);
    }
  });

  it('builds a stage that the Dockerfile has', () => {
    const stages = [...readFileSync('docker/Dockerfile', 'utf8').matchAll(/^FROM .+ AS (\w+)$/gm)].map(
      ([, name]) => name,
    );
    for (const [, { build }] of all) if (build?.target) expect(stages).toContain(build.target);
  });

  it('checks the health of every service whose image does not', () => {
    const dockerfile = readFileSync('docker/Dockerfile', 'utf8');
    const unchecked = all.filter(([, { healthcheck: own, build }]) => {
      // Only the last stage has the check of the Dockerfile.
      const inherited = build && !build.target && /^HEALTHCHECK /m.test(dockerfile);
      return !own && !inherited;
    });
    expect(unchecked.map(([name]) => name)).toEqual([]);
  });

  it('waits for services, mounts volumes and files, and takes secrets that there are', () => {
    for (const [, it] of all) {
      for (const name of Object.keys(it.depends_on)) expect(services).toHaveProperty(name);
      for (const name of it.secrets) expect(secrets).toHaveProperty(name);
      for (const { path: watched } of it.develop?.watch ?? []) expect(existsSync(resolvePath(watched))).toBe(true);
      for (const [source = ''] of it.volumes.map((volume) => volume.split(':'))) {
        if (source.startsWith('.')) expect(existsSync(resolvePath(source))).toBe(true);
        else expect(volumes).toHaveProperty(source);
      }
      const files = Object.values(it.environment).filter((value) => value.startsWith('/run/secrets/'));
      for (const file of files) expect(it.secrets).toContain(file.replace('/run/secrets/', ''));
    }
  });

  it('opens ports to this machine only', () => {
    for (const [, { ports }] of all) for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  it('points the URLs of the API at databases that the other services make', () => {
    const { CENTRAL_URL = '', SHARDS = '' } = services.api?.environment ?? {};
    const urls = [CENTRAL_URL, ...SHARDS.split(',').map((shard) => shard.slice(shard.indexOf('=') + 1))];
    expect(urls).toHaveLength(3);
    for (const { protocol, username, password, hostname, pathname } of urls.map((url) => new URL(url))) {
      const { environment = {}, volumes: mounts = [] } = services[hostname] ?? {};
      const init = mounts.find((volume) => volume.includes('/docker-entrypoint-initdb.d'))?.split(':')[0];
      const sql = init ? readFileSync(resolvePath(`${init}/databases.sql`), 'utf8') : '';
      const made = [environment.POSTGRES_DB, ...[...sql.matchAll(/^CREATE DATABASE (\w+);/gm)].map(([, name]) => name)];
      expect(made).toContain(pathname.slice(1));
      const product = protocol === 'mysql:' ? 'MYSQL' : 'POSTGRES';
      expect(username).toBe(environment[`${product}_USER`]);
      expect(password).toBe(environment[`${product}_PASSWORD`] ?? GIVEN.DATABASE_PASSWORD);
    }
  });

  it('gives the API only variables that it reads', () => {
    for (const name of Object.keys(services.api?.environment ?? {})) expect(KNOWN_VARIABLES).toContain(name);
  });
});

describe('docker/Dockerfile', () => {
  it('sets only variables that the application reads', () => {
    const [, settings = ''] = /^ENV (.+)$/m.exec(readFileSync('docker/Dockerfile', 'utf8')) ?? [];
    const names = settings.split(' ').map((setting) => setting.split('=')[0]);
    expect(names).toContain('DATA_DIR');
    for (const name of names) expect(KNOWN_VARIABLES).toContain(name);
  });
});
