import { mkdir, open, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PlaceDialect } from './place-dialect.js';

/** The file behind `sqlite:<path>`; `sqlite::memory:` is a database that lives as long as its connection. */
export function fileOf(url: string): string {
  return url.replace(/^sqlite:(\/\/(?=\/))?/, '');
}

/** Files beside the file. Schemas are refused: SQLite attaches ten at most, to one connection. */
export const sqlitePlaceDialect: PlaceDialect = {
  hasSearchPath: false,
  databaseUrl: (url, name) => `sqlite:${fileOf(url).replace(/\.sqlite$/, '')}.tenants/${name}.sqlite`,
  async createDatabase(databaseUrl) {
    const file = fileOf(databaseUrl);
    await mkdir(dirname(file), { recursive: true });
    // An empty file is an empty database. `a` leaves one that is there as it is.
    await (await open(file, 'a')).close();
  },
  async dropDatabase(databaseUrl) {
    for (const suffix of ['', '-wal', '-shm']) await rm(fileOf(databaseUrl) + suffix, { force: true });
  },
  mustExist: { fileMustExist: true },
  recycleConnections: {},
};
