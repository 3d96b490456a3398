import { describe, expect, it } from '@jest/globals';
import { readExamples, readPages } from './pages.mjs';

const root = process.cwd();
const pages = readPages(root);

describe('the cookbook', () => {
  it.each(pages)('$file shows only code that a spec has run', ({ text, wanted, unknown, shown, blocks }) => {
    expect(unknown).toEqual([]);
    // A block without its line of origin would be code that nothing runs.
    expect(blocks).toBe(shown.length);
    // `npm run cookbook` writes the blocks anew.
    expect(text).toBe(wanted);
  });

  it('shows every example that its specs run', () => {
    const shown = new Set(pages.flatMap((page) => page.shown));
    expect([...readExamples(root).keys()].filter((name) => !shown.has(name))).toEqual([]);
  });
});
