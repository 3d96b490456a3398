import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';

/** A file as somebody might add it, and the rule that must stop it: a lint rule's name, or a part of its message. */
type Breach = readonly [what: string, path: string, code: string, finding: string];

const LAYERS: readonly Breach[] = [
  ['context importing a lib', 'libs/context/src/a.ts', `import { x } from '#libs/persistence';\nx();`, 'layer 0'],
  [
    'context importing a lib in its spec',
    'libs/context/src/a.spec.ts',
    `import { x } from '#libs/testing';\nx();`,
    'layer 0',
  ],
  [
    'context importing the ORM',
    'libs/context/src/b.ts',
    `import { MikroORM } from '@mikro-orm/core';\nnew MikroORM();`,
    'knows no ORM',
  ],
  [
    'context importing Nest',
    'libs/context/src/c.ts',
    `import { Module } from '@nestjs/common';\nModule();`,
    'knows no ORM',
  ],
  [
    'context importing Fastify',
    'libs/context/src/d.ts',
    `import { fastify } from 'fastify';\nfastify();`,
    'knows no ORM',
  ],
  ['persistence importing layer 2', 'libs/persistence/src/a.ts', `import { x } from '#libs/tenancy';\nx();`, 'layer 1'],
  [
    'persistence importing another lib for a type',
    'libs/persistence/src/b.ts',
    `import type { X } from '#libs/audit';\nexport type Y = X;`,
    'layer 1',
  ],
  ['tenancy importing sharding', 'libs/tenancy/src/a.ts', `import { x } from '#libs/sharding';\nx();`, 'layer 2'],
  ['sharding importing audit', 'libs/sharding/src/a.ts', `import { x } from '#libs/audit';\nx();`, 'layer 2'],
  [
    'audit importing identity at run time',
    'libs/audit/src/a.ts',
    `export const x = await import('#libs/identity');`,
    'layer 2',
  ],
  ['identity handing tenancy on', 'libs/identity/src/index.ts', `export { x } from '#libs/tenancy';`, 'layer 2'],
  [
    'a lib nobody has named yet importing layer 2',
    'libs/billing/src/a.ts',
    `import { x } from '#libs/audit';\nx();`,
    'layer 2',
  ],
  [
    'a spec of layer 2 importing its neighbour',
    'libs/audit/src/a.spec.ts',
    `import { x } from '#libs/tenancy';\nx();`,
    'spec may import',
  ],
  ['a lib importing an app', 'libs/tenancy/src/b.ts', `import { x } from '#apps/api';\nx();`, 'layer 2'],
  [
    'a lib importing an app by path',
    'libs/tenancy/src/c.ts',
    `import { x } from '../../../apps/api/src/app.module.js';\nx();`,
    'layer 2',
  ],
  [
    'a lib importing migrations',
    'libs/persistence/src/c.ts',
    `import { x } from '#database/migrations';\nx();`,
    'layer 1',
  ],
  [
    'a lib importing migrations by path',
    'libs/audit/src/b.ts',
    `import { x } from '../../../database/migrations/index.js';\nx();`,
    'layer 2',
  ],
  ['a lib importing the test lib', 'libs/sharding/src/b.ts', `import { x } from '#libs/testing';\nx();`, 'layer 2'],
  [
    'an app importing the test lib',
    'apps/api/src/a.ts',
    `import { x } from '#libs/testing';\nx();`,
    '#libs/testing is for specs',
  ],
  [
    'a migration importing the test lib',
    'database/migrations/a.ts',
    `import { x } from '#libs/testing';\nx();`,
    '#libs/testing is for specs',
  ],
];

const FACES: readonly Breach[] = [
  [
    'a lib behind a face',
    'libs/tenancy/src/d.ts',
    `import { x } from '#libs/persistence/src/x.js';\nx();`,
    'by their faces',
  ],
  [
    'a lib by relative path',
    'libs/tenancy/src/deep/e.ts',
    `import { x } from '../../../persistence/src/x.js';\nx();`,
    'by their faces',
  ],
  ['an app behind a face', 'apps/api/src/b.ts', `import { x } from '#libs/audit/src/x.js';\nx();`, 'by its face'],
  [
    'an app by relative path',
    'apps/api/src/c.ts',
    `import { x } from '../../../libs/audit/src/x.js';\nx();`,
    'by its face',
  ],
  ['a test behind a face', 'test/a.e2e-spec.ts', `import { x } from '#libs/audit/src/x.js';\nx();`, 'by its face'],
  [
    'a test by relative path',
    'test/deep/b.e2e-spec.ts',
    `import { x } from '../../libs/audit/src/x.js';\nx();`,
    'by its face',
  ],
  ['a benchmark behind a face', 'bench/a.ts', `import { x } from '#libs/audit/src/x.js';\nx();`, 'by its face'],
];

const STYLE: readonly Breach[] = [
  [
    'an HTTP exception in layer 1',
    'libs/persistence/src/d.ts',
    `import { NotFoundException } from '@nestjs/common';\nthrow new NotFoundException();`,
    'only apps know HTTP',
  ],
  [
    'an HTTP exception in layer 2',
    'libs/identity/src/b.ts',
    `import { HttpException, Injectable } from '@nestjs/common';\nInjectable();\nthrow new HttpException('', 500);`,
    'only apps know HTTP',
  ],
  [
    'a controller that knows the ORM',
    'apps/api/src/a.controller.ts',
    `import { EntityManager } from '@mikro-orm/core';\nEntityManager();`,
    'knows no ORM',
  ],
  [
    'a service that knows Fastify',
    'apps/api/src/a.service.ts',
    `import type { FastifyReply } from 'fastify';\nexport type Y = FastifyReply;`,
    'knows no HTTP',
  ],
  [
    'a service that throws an HTTP exception',
    'apps/api/src/b.service.ts',
    `import { NotFoundException } from '@nestjs/common';\nthrow new NotFoundException();`,
    'knows no HTTP',
  ],
  [
    'a controller behind a face',
    'apps/api/src/b.controller.ts',
    `import { x } from '#libs/audit/src/x.js';\nx();`,
    'by its face',
  ],
  ['a default export', 'libs/tenancy/src/f.ts', 'export default 1;', 'noDefaultExport'],
  ['export *', 'libs/tenancy/src/index.ts', `export * from './f.js';`, 'noReExportAll'],
  ['a barrel below the face', 'libs/tenancy/src/deep/index.ts', `export { x } from './x.js';`, 'noBarrelFile'],
  ['the environment read in a lib', 'libs/tenancy/src/g.ts', 'export const port = process.env.PORT;', 'noProcessEnv'],
  [
    'the environment read in an app beside its configuration',
    'apps/api/src/d.ts',
    'export const port = process.env.PORT;',
    'noProcessEnv',
  ],
  ['a file name in capitals', 'libs/tenancy/src/TenantStore.ts', 'export const x = 1;', 'useFilenamingConvention'],
  [
    'an interface with an I',
    'libs/tenancy/src/h.ts',
    'export interface ITenant { readonly id: string }',
    'useNamingConvention',
  ],
  ['any', 'libs/tenancy/src/i.ts', 'export const x: any = 1;', 'noExplicitAny'],
  ['a non-null assertion', 'libs/tenancy/src/j.ts', `export const x = [1].at(0)!;`, 'noNonNullAssertion'],
  [
    'a promise nobody waits for',
    'libs/tenancy/src/k.ts',
    `const save = async (): Promise<void> => undefined;\nexport const x = () => {\n  save();\n};`,
    'noFloatingPromises',
  ],
];

const UNSAFE: readonly Breach[] = [
  [
    'a native client',
    'apps/api/src/shop/n.service.ts',
    'export const x = (em: { getNativeClient(): unknown }) => em.getNativeClient();',
    'reaches past the guard',
  ],
  [
    'filters that are switched off',
    'apps/api/src/shop/o.service.ts',
    `export const x = (em: { find(...given: unknown[]): unknown }) => em.find('Product', {}, { filters: false });`,
    'Rows of other tenants',
  ],
  [
    'an EntityManager without a guard',
    'apps/api/src/shop/p.service.ts',
    `import { SqlEntityManager } from '@mikro-orm/sql';\nexport const x = (given: never) => new SqlEntityManager(given, given, given);`,
    'has no guard',
  ],
  [
    'parameters of a filter',
    'apps/cli/src/q.ts',
    `export const x = (em: { setFilterParams(...given: unknown[]): void }) => em.setFilterParams('tenant', { id: 1 });`,
    'comes from the context',
  ],
  [
    'a tenant bound past the gate',
    'apps/api/src/shop/r.service.ts',
    'export const x = (context: { bindTenant(tenant: unknown): void }) => context.bindTenant({});',
    'decided by TenantGate',
  ],
];

const LAWFUL: readonly (readonly [path: string, code: string])[] = [
  [
    'libs/context/src/z.ts',
    `import { randomUUID } from 'node:crypto';\nimport { x } from './errors/x.error.js';\nx(randomUUID());`,
  ],
  [
    'libs/persistence/src/z.ts',
    `import { Injectable, Module } from '@nestjs/common';\nimport { x } from '#libs/context';\nx(Injectable, Module);`,
  ],
  [
    'libs/audit/src/z.ts',
    `import { ConfigurableModuleBuilder, Inject } from '@nestjs/common';\nimport { x } from '#libs/context';\nimport { y } from '#libs/persistence';\nx(y, Inject, ConfigurableModuleBuilder);`,
  ],
  ['libs/audit/src/z.spec.ts', `import { x } from '#libs/testing';\nimport { z } from './z.js';\nx(z, process.env.X);`],
  ['libs/audit/src/index.ts', `export { z } from './z.js';`],
  [
    'libs/testing/src/z.ts',
    `import { x } from '#libs/tenancy';\nimport { y } from '#libs/sharding';\nx(y, process.env.TEST_URL);`,
  ],
  ['apps/api/src/config/z.ts', 'export const port = process.env.PORT;'],
  [
    'apps/api/src/z.ts',
    `import { NotFoundException } from '@nestjs/common';\nimport { x } from '#libs/tenancy';\nimport { y } from '#libs/sharding';\nx(y, NotFoundException);`,
  ],
  ['apps/api/src/main.ts', `import { readConfig } from './config/app.config.js';\nreadConfig(process.env);`],
  [
    'apps/api/src/z.controller.ts',
    `import { Controller, HttpStatus } from '@nestjs/common';\nimport type { FastifyReply } from 'fastify';\nexport type Y = FastifyReply;\nController(HttpStatus);`,
  ],
  [
    'apps/api/src/tenants/tenant-gate.ts',
    'export const x = (context: { bindTenant(tenant: unknown): void }) => context.bindTenant({});',
  ],
  ['apps/api/src/shop/z.spec.ts', 'export const x = (em: { getNativeClient(): unknown }) => em.getNativeClient();'],
  ['apps/api/src/z.service.ts', `import { EntityManager } from '@mikro-orm/core';\nEntityManager();`],
  ['apps/api/src/z.spec.ts', `import { x } from '#libs/testing';\nx();`],
  ['test/z.e2e-spec.ts', `import { x } from '#libs/testing';\nimport { y } from '#libs/audit';\nx(y, process.env.X);`],
  ['bench/z.ts', `import { x } from '#libs/testing';\nx(process.env.X);`],
];

/** The part of biome's JSON report that is read here. */
interface Report {
  readonly diagnostics: readonly {
    readonly category: string;
    readonly message: string;
    readonly location: { readonly path: string };
  }[];
}

describe('the linter', () => {
  const root = mkdtempSync(join(tmpdir(), 'rowhouse-layers-'));
  /** Findings by path: every breach lies in a file of its own, and one run of the linter sees them all. */
  const findings = new Map<string, string[]>();

  beforeAll(() => {
    copyFileSync('biome.json', join(root, 'biome.json'));
    cpSync('lint', join(root, 'lint'), { recursive: true });
    copyFileSync('tsconfig.json', join(root, 'tsconfig.json'));
    symlinkSync(join(process.cwd(), 'node_modules'), join(root, 'node_modules'));
    const planted = [...LAYERS, ...FACES, ...STYLE, ...UNSAFE].map(([, path, code]) => [path, code] as const);
    for (const [path, code] of [...planted, ...LAWFUL]) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), `${code}\n`);
    }
    const biome = join(process.cwd(), 'node_modules/@biomejs/biome/bin/biome');
    const options = ['lint', '--reporter=json', '--max-diagnostics=none', '.'];
    const { stdout, stderr } = spawnSync(process.execPath, [biome, ...options], { cwd: root, encoding: 'utf8' });
    if (!stdout.startsWith('{')) throw new Error(`The linter did not report: ${stdout}${stderr}`);
    for (const { category, message, location } of (JSON.parse(stdout) as Report).diagnostics) {
      const path = relative(root, join(root, location.path));
      findings.set(path, [...(findings.get(path) ?? []), `${category} ${message}`]);
    }
  });

  afterAll(() => rmSync(root, { recursive: true, force: true }));

  it.each([...LAYERS, ...FACES, ...STYLE, ...UNSAFE])('finds %s', (_what, path, _code, finding) => {
    expect(findings.get(path)).toEqual([expect.stringContaining(finding)]);
  });

  it.each(LAWFUL)('leaves %s alone', (path) => {
    expect(findings.get(path)).toBeUndefined();
  });
});
