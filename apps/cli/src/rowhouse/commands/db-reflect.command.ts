import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reflectDatabase } from '../../reflect/reflect-database.js';
import type { CliCall, CliCommand } from '../cli-command.js';

/** Writes entities for the tables of a database that exists already. */
export const dbReflectCommand: CliCommand = {
  noun: 'db',
  verb: 'reflect',
  summary: 'read the tables of a database and write an entity for each',
  configure: (command) =>
    command
      .argument('<url>', 'database, such as mysql://user:password@host/shop; nothing in it is changed')
      .option('--out <folder>', 'write files there instead of printing them; files of the same name are kept')
      .option('--table <name...>', 'these tables alone')
      .option('--schema <name>', 'schema of postgresql; default: public'),
  async run({ args: [url = ''], options, terminal }: CliCall) {
    const { out, table, schema } = options as { out?: string; table?: string[]; schema?: string };
    const entities = await reflectDatabase(url, { tables: table, schema });
    if (out === undefined) {
      for (const { fileName, source } of entities) terminal.text(`// ${fileName}\n${source}\n`);
      return;
    }
    mkdirSync(out, { recursive: true });
    // Never over a file that is there: it may have been edited since.
    for (const { fileName, source } of entities) writeFileSync(join(out, fileName), source, { flag: 'wx' });
    terminal.table(entities.map(({ fileName }) => ({ file: join(out, fileName) })));
  },
};
