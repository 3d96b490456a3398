import { mkdir, open, readdir, rm } from 'node:fs/promises';
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
  async listPlaces(url) {
    const folder = dirname(fileOf(sqlitePlaceDialect.databaseUrl(url, 'any')));
    const files = await readdir(folder).catch(() => []);
    const names = files.flatMap((file) => /^(tenant_.*)\.sqlite$/.exec(file)?.[1] ?? []);
    return names.sort().map((name) => ({ kind: 'database', name }));
  },
  // Generated columns are not in that list.
  listColumns:
    () => `select m.name as tableName, p.name as columnName from sqlite_master m join pragma_table_info(m.name) p
    where m.type = 'table' and m.name not like 'sqlite@_%' escape '@'`,
  mustExist: { fileMustExist: true },
  recycleConnections: {},
};
