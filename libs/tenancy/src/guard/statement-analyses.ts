import type { EntityMetadata, MetadataStorage } from '@mikro-orm/core';
import type { EngineName, WriteRule } from '#libs/persistence';
import type { Analysis } from './sql/analysis.js';
import { Catalogue } from './sql/catalogue.js';
import { AllowedFunctions } from './sql/functions.js';
import { analyse, type ReaderOptions } from './sql/reader.js';
import { ShapeCache } from './sql/shape-cache.js';

const shared = new WeakMap<MetadataStorage, Map<string, StatementAnalyses>>();

/** What decides how a statement is read, beyond the engine and the entities. */
export interface AnalysisOptions {
  readonly functions?: readonly string[] | undefined;
  /** Default: any write will do. */
  readonly findWriteRule?: ((meta: EntityMetadata) => WriteRule | undefined) | undefined;
}

/**
 * The analyses of an engine, a set of entities, a list of functions and the rules of writes: the same object for the same
 * four. What is in there knows no tenant and no value, and thousands of databases would otherwise each keep the same few
 * hundred texts.
 */
export function analysesOf(
  metadata: MetadataStorage,
  engine: EngineName,
  { functions = [], findWriteRule }: AnalysisOptions = {},
): StatementAnalyses {
  const ofMetadata = shared.get(metadata) ?? new Map<string, StatementAnalyses>();
  shared.set(metadata, ofMetadata);
  const rules = [...metadata.getAll().values()].map((meta) => findWriteRule?.(meta) ?? '');
  const key = JSON.stringify([engine, [...functions].sort(), rules]);
  const known = ofMetadata.get(key);
  if (known) return known;
  const catalogue = new Catalogue(engine, metadata, findWriteRule ? { findWriteRule } : {});
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
