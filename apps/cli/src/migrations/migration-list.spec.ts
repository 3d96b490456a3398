import { readFileSync } from 'node:fs';
import { expect, it } from '@jest/globals';
import { findMigrationFiles, renderMigrationList } from './migration-list.js';

it('lists every migration in the folder, and no other', () => {
  const listed = readFileSync('database/migrations/migration-list.ts', 'utf8');
  expect(listed).toBe(renderMigrationList(findMigrationFiles('database/migrations')));
});
