// @ts-check
// Keeps the pages of docs/cookbook and the specs beside this file the same: every block of code in a page stands in a spec
// that runs on all engines. `npm run cookbook` writes the blocks; `pages.spec.ts` fails when one is not what was run.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const PAGES = 'docs/cookbook';
const SPECS = 'test/cookbook';

/** `<!-- queries#keyset-page -->`, then a block of code. */
const EXAMPLE = /<!-- ([\w-]+)#([\w-]+) -->\n```ts\n([\s\S]*?)```/g;
const REGION = /^( *)\/\/ #region ([\w-]+)\n([\s\S]*?)^ *\/\/ #endregion/gm;

/**
 * The examples of all specs by `<spec>#<region>`, without their indentation.
 *
 * @param {string} root
 * @returns {Map<string, string>}
 */
export function readExamples(root) {
  const examples = new Map();
  for (const file of readdirSync(join(root, SPECS)).filter((name) => name.endsWith('.spec.ts'))) {
    const source = readFileSync(join(root, SPECS, file), 'utf8');
    for (const [, indent = '', name, code = ''] of source.matchAll(REGION)) {
      const lines = code
        .split('\n')
        .map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line.trimStart()));
      examples.set(`${file.replace('.spec.ts', '')}#${name}`, lines.join('\n'));
    }
  }
  return examples;
}

/**
 * Every page, as it is and as its examples want it, with the names of those it shows.
 *
 * @param {string} root
 * @returns {{ file: string, text: string, wanted: string, shown: string[], unknown: string[], blocks: number }[]}
 */
export function readPages(root) {
  const examples = readExamples(root);
  return readdirSync(join(root, PAGES))
    .filter((name) => name.endsWith('.md'))
    .map((name) => {
      const file = join(PAGES, name);
      const text = readFileSync(join(root, file), 'utf8');
      /** @type {string[]} */
      const shown = [];
      const wanted = text.replace(EXAMPLE, (_, spec, region) => {
        shown.push(`${spec}#${region}`);
        return `<!-- ${spec}#${region} -->\n\`\`\`ts\n${examples.get(`${spec}#${region}`) ?? ''}\`\`\``;
      });
      const unknown = shown.filter((it) => !examples.has(it));
      return { file, text, wanted, shown, unknown, blocks: text.split('```ts').length - 1 };
    });
}

if (process.argv[1] === import.meta.filename) {
  for (const { file, text, wanted, unknown } of readPages(process.cwd())) {
    if (unknown.length > 0) throw new Error(`${file} shows ${unknown.join(', ')}, which no spec has.`);
    if (text !== wanted) writeFileSync(file, wanted);
  }
}
