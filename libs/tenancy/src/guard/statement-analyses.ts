import type { MetadataStorage } from '@mikro-orm/core';
import type { EngineName } from '#libs/persistence';
import type { Analysis } from './sql/analysis.js';
import { Catalogue } from './sql/catalogue.js';
import { AllowedFunctions } from './sql/functions.js';
import { analyse, type ReaderOptions } from './sql/reader.js';
import { ShapeCache } from './sql/shape-cache.js';

const shared = new WeakMap<MetadataStorage, Map<string, StatementAnalyses>>();

/**
 * The analyses of an engine, a set of entities and a list of functions: the same object for the same three. What is in
 * there knows no tenant and no value, and thousands of databases would otherwise each keep the same few hundred texts.
 */
export function analysesOf(
  metadata: MetadataStorage,
  engine: EngineName,
  functions: readonly string[] = [],
): StatementAnalyses {
  const ofMetadata = shared.get(metadata) ?? new Map<string, StatementAnalyses>();
  shared.set(metadata, ofMetadata);
  const key = [engine, ...[...functions].sort()].join(' ');
  const known = ofMetadata.get(key);
  if (known) return known;
  const catalogue = new Catalogue(engine, metadata);
  const made = new StatementAnalyses({ engine, catalogue, functions: new AllowedFunctions(functions) });
  ofMetadata.set(key, made);
  return made;
}

/** Statements as they were read, by their text. */
export class StatementAnalyses {
  readonly #native = new ShapeCache<Analysis>();
  readonly #across = new ShapeCache<Analysis>();
  readonly #unformatted = new ShapeCache<Analysis | 'unreadable'>();

  constructor(private readonly options: ReaderOptions) {}

  /** A statement as it goes to the database, its parameters beside it. */
  ofNative(sql: string): Analysis {
    return this.#native.getOrMake(sql, () => analyse(sql, this.options) as Analysis);
  }

  /** The same where tables need no tenant. */
  ofAcross(sql: string): Analysis {
    return this.#across.getOrMake(sql, () => analyse(sql, { ...this.options, unbound: true }) as Analysis);
  }

  /** A statement of MikroORM before its values are written into it; `undefined` when it cannot be read before that. */
  ofUnformatted(sql: string): Analysis | undefined {
    const analysis = this.#unformatted.getOrMake(
      sql,
      () => analyse(sql, this.options, 'question-marks') ?? 'unreadable',
    );
    return analysis === 'unreadable' ? undefined : analysis;
  }
}
