import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/** @type {import('jest').Config} */
export default {
  testEnvironment: 'node',
  testEnvironmentOptions: { customExportConditions: ['source', 'node', 'node-addons'] },
  roots: ['apps', 'libs', 'test', 'database', 'bench']
    .map((folder) => `${import.meta.dirname}/${folder}`)
    .filter((folder) => existsSync(folder)),
  testMatch: ['**/*.spec.ts', '**/*.e2e-spec.ts'],
  moduleFileExtensions: ['ts', 'js', 'json'],
  extensionsToTreatAsEsm: ['.ts'],
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: { '^.+\\.ts$': '@swc/jest' },
  globalSetup: '<rootDir>/libs/testing/jest/global-setup.mjs',
  globalTeardown: '<rootDir>/libs/testing/jest/global-teardown.mjs',
  reporters: ['default', '<rootDir>/libs/testing/jest/engine-matrix.reporter.mjs'],
  // No test is timed: this only ends what hangs, on a machine that is busy with something else too.
  testTimeout: 120_000,
  coverageProvider: 'v8',
  // Two even on two cores: databases do much of the work. And only workers are replaced when they have grown.
  maxWorkers: Math.max(2, availableParallelism() - 1),
  workerIdleMemoryLimit: '512MB',
  collectCoverageFrom: ['apps/**/src/**/*.ts', 'libs/**/src/**/*.ts'],
};
