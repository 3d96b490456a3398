import { describe, expect, it } from '@jest/globals';
import { InvalidShardsError } from '../errors/invalid-shards.error.js';
import { parseShards } from './parse-shards.js';

function problemsOf(text: string): readonly string[] {
  try {
    parseShards(text);
  } catch (error) {
    if (error instanceof InvalidShardsError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseShards', () => {
  it('reads shards in the order given, with their replicas wherever these stand', () => {
    const text =
      'b.replica=postgresql://r1/db, b=postgresql://u:p=w@h/db ,a=sqlite:./data/a.db,b.replica=postgres://r2/db';
    expect(parseShards(text)).toEqual([
      { id: 'b', url: 'postgresql://u:p=w@h/db', replicaUrls: ['postgresql://r1/db', 'postgres://r2/db'] },
      { id: 'a', url: 'sqlite:./data/a.db', replicaUrls: [] },
    ]);
  });

  it('reports every problem at once', () => {
    expect(problemsOf('a=sqlite:x,a=sqlite:y,c=sqlite:x,d.replica=sqlite:z,nonsense,e=oracle://h/db,')).toEqual([
      'Entry 5 is not of the form <id>=<url>.',
      expect.stringContaining('Entry 6 ("e"): No engine answers to "oracle:"'),
      'Entry 7 is not of the form <id>=<url>.',
      '"a" is defined twice.',
      '"c" and "a" are the same database.',
      'The replica of "d" has no shard of that name.',
    ]);
  });

  it('refuses a replica of another engine, and no shard at all', () => {
    expect(problemsOf('a=sqlite:x,a.replica=postgresql://h/db')).toEqual(['The replica of "a" is another engine.']);
    expect(problemsOf('a=sqlite:x,a.replica=sqlite:y')).toEqual(['"a" is a SQLite file, which has no replicas.']);
    expect(problemsOf('  ')).toEqual(['There is no shard.']);
  });

  it('never repeats a URL, which may hold a password', () => {
    const parse = () => parseShards('a=postgresql://u:s3cret@h/db,b=postgresql://u:s3cret@h/db,C=mysql://u:s3cret@h/x');
    expect(parse).toThrow(InvalidShardsError);
    expect(parse).not.toThrow(/s3cret/);
  });
});
