import type { SqlEntityManager } from '@mikro-orm/sql';
import type { BulkRowError } from '../errors/bulk-row.error.js';
import { InvalidRowError } from '../errors/invalid-row.error.js';
import { RowClassMismatchError } from '../errors/row-class-mismatch.error.js';
import { RowMissingError } from '../errors/row-missing.error.js';
import { RowVersionError } from '../errors/row-version.error.js';
import { announceChanges, areChangesWanted } from '../events/announce-changes.js';
import { add, NOTHING, type Outcome } from './batch-runner.js';
import type { Batch } from './batches.js';
import { updates } from './changes.js';
import { lockByClass } from './concrete-classes.js';
import type { EntityLayout } from './entity-layout.js';
import { type ExistingRows, readExisting } from './existing-rows.js';
import { keyText, placesOf } from './natural-key.js';
import { diffRows, type Match } from './row-diff.js';
import { insertAndAnnounce } from './row-inserter.js';
import { locate } from './row-location.js';
import type { ReadRows, RowReader } from './row-reader.js';
import { pick, type RowSet } from './row-set.js';
import { updateRows } from './table-writer.js';

export interface MergeOptions {
  readonly by: readonly string[];
  /** What becomes of a row that does not exist yet. */
  readonly missing: 'insert' | 'reject';
}

/** Sorted rows of one wave. */
interface Sorted {
  readonly matches: readonly Match[];
  readonly missing: readonly number[];
  /** Rows whose existing row is taken by an earlier one: the database holds their keys to be the same. */
  readonly postponed: readonly number[];
  readonly faults: readonly BulkRowError[];
}

/**
 * Brings given rows and existing ones together: reads what exists under their keys, updates what differs, inserts what is
 * missing. Rows with the same key are applied one after the other, as if each came in a batch of its own.
 */
export class RowMerger {
  readonly #places: readonly number[];

  /** @throws {BulkKeyError} when `by` does not tell rows apart */
  constructor(
    private readonly layout: EntityLayout,
    private readonly reader: RowReader,
    private readonly options: MergeOptions,
  ) {
    this.#places = placesOf(layout, options.by);
  }

  async merge(em: SqlEntityManager, { rows, firstIndex }: Batch): Promise<Outcome> {
    const read = this.#withKeys(this.reader.read(rows, firstIndex));
    let outcome: Outcome = { ...NOTHING, faults: read.faults };
    let rest = read.set.rows.map((_, r) => r);
    while (rest.length > 0) {
      const { wave, later } = this.#cutWave(read.set, rest);
      const result = await this.#mergeWave(em, pick(read.set, wave));
      outcome = add(outcome, result.outcome);
      rest = [...result.postponed.map((r) => wave[r] as number), ...later].toSorted((a, b) => a - b);
    }
    return outcome;
  }

  /** Fills in the tenant, and leaves out rows that have no key. */
  #withKeys({ set, faults }: ReadRows): ReadRows {
    const { tenants, columns } = this.layout;
    const values = set.values.map((column, c) =>
      tenants.includes(c) ? column.map(() => this.reader.tenantId) : column,
    );
    const keyed = { ...set, values };
    const missing = set.rows.flatMap((_, r) => {
      const place = this.#places.find((it) => values[it]?.[r] === undefined || values[it]?.[r] === null);
      return place === undefined ? [] : [{ r, property: columns[place]?.property ?? '' }];
    });
    if (missing.length === 0) return { set: keyed, faults };
    const without = new Set(missing.map(({ r }) => r));
    const keyless = missing.map(({ r, property }) => {
      return new InvalidRowError(this.#locate(set, r), property, 'is required to tell rows apart');
    });
    const rest = set.rows.flatMap((_, r) => (without.has(r) ? [] : [r]));
    return { set: pick(keyed, rest), faults: [...faults, ...keyless] };
  }

  /** The first row of each key; the others come after it and build on it. */
  #cutWave(set: RowSet, rows: readonly number[]): { wave: readonly number[]; later: readonly number[] } {
    const seen = new Set<string>();
    const [wave, later]: [number[], number[]] = [[], []];
    for (const row of rows) {
      const key = keyText(set.values, this.#places, row);
      (seen.has(key) ? later : wave).push(row);
      seen.add(key);
    }
    return { wave, later };
  }

  async #mergeWave(em: SqlEntityManager, set: RowSet): Promise<{ outcome: Outcome; postponed: readonly number[] }> {
    const keys = this.#places.map((place) => set.values[place] ?? []);
    const existing = await readExisting(em, this.layout, this.#places, keys);
    const { matches, missing, postponed, faults } = await this.#sort(em, set, existing);
    const { old, rows } = diffRows(em, this.layout, set, existing, matches);
    await updateRows(em, this.layout, rows);
    if (rows.count > 0 && areChangesWanted(em, this.layout.meta.class))
      await announceChanges(em, updates(this.layout, old, rows));
    const outcome = { inserted: 0, updated: rows.count, unchanged: matches.length - rows.count, faults };
    return { outcome: add(outcome, await this.#handleMissing(em, pick(set, missing))), postponed };
  }

  async #handleMissing(em: SqlEntityManager, set: RowSet): Promise<Outcome> {
    if (this.options.missing === 'reject')
      return { ...NOTHING, faults: set.rows.map((_, r) => new RowMissingError(this.#locate(set, r))) };
    const { set: complete, faults } = this.reader.complete({ set, faults: [] });
    await insertAndAnnounce(em, this.layout, complete);
    return { ...NOTHING, inserted: complete.rows.length, faults };
  }

  async #sort(em: SqlEntityManager, set: RowSet, existing: ExistingRows): Promise<Sorted> {
    const found = await this.#findExisting(em, set, existing);
    const taken = new Set<number>();
    const sorted = {
      matches: [] as Match[],
      missing: [] as number[],
      postponed: [] as number[],
      faults: [] as BulkRowError[],
    };
    for (const [given, row] of found.entries()) {
      if (row === undefined) sorted.missing.push(given);
      else if (taken.has(row)) sorted.postponed.push(given);
      else {
        taken.add(row);
        const match = { given, existing: row };
        const fault = existing.isOfClass[row]
          ? this.#findContradiction(set, existing, match)
          : await this.#toClassMismatch(em, set, existing, match);
        if (fault) sorted.faults.push(fault);
        else sorted.matches.push(match);
      }
    }
    return sorted;
  }

  /** For each given row the position of the existing one. */
  async #findExisting(em: SqlEntityManager, set: RowSet, existing: ExistingRows): Promise<(number | undefined)[]> {
    const byKey = new Map<string, number>();
    for (let row = 0; row < existing.count; row++) byKey.set(keyText(existing.values, this.#places, row), row);
    const found = set.rows.map((_, r) => byKey.get(keyText(set.values, this.#places, r)));
    if (new Set(found).size - Number(found.includes(undefined)) === existing.count) return found;
    // The database found more than we did: by its collation, two spellings are one key. Only it can tell which.
    for (const [r, row] of found.entries()) found[r] = row ?? (await this.#askForOne(em, set, existing, r));
    return found;
  }

  async #askForOne(em: SqlEntityManager, set: RowSet, existing: ExistingRows, r: number): Promise<number | undefined> {
    const { keys } = this.layout;
    const one = await readExisting(
      em,
      this.layout,
      this.#places,
      this.#places.map((place) => [set.values[place]?.[r]]),
    );
    if (one.count === 0) return undefined;
    const key = keyText(one.values, keys, 0);
    for (let row = 0; row < existing.count; row++) if (keyText(existing.values, keys, row) === key) return row;
    return undefined;
  }

  /** A primary key or a version that the existing row does not have. */
  #findContradiction(set: RowSet, existing: ExistingRows, match: Match): BulkRowError | undefined {
    const { keys, columns, version } = this.layout;
    const at = (place: number) => [set.values[place]?.[match.given], existing.values[place]?.[match.existing]];
    const isOther = (place: number) => {
      const [given, actual] = at(place);
      return given !== undefined && given !== actual;
    };
    const place = keys.find(isOther);
    const location = () => this.#locate(set, match.given);
    if (place !== undefined && !this.#places.includes(place))
      return new InvalidRowError(
        location(),
        columns[place]?.property ?? '',
        'is another one than the existing row has',
      );
    if (version < 0 || !isOther(version)) return undefined;
    const [expected, actual] = at(version);
    return new RowVersionError(location(), expected, actual);
  }

  async #toClassMismatch(
    em: SqlEntityManager,
    set: RowSet,
    existing: ExistingRows,
    match: Match,
  ): Promise<BulkRowError> {
    const keys = this.layout.keys.map((key) => [existing.values[key]?.[match.existing]]);
    const [actual] = await lockByClass(em, this.layout.meta.root, keys);
    return new RowClassMismatchError(this.#locate(set, match.given), actual?.meta.className ?? 'row of another class');
  }

  #locate(set: RowSet, r: number) {
    return locate(this.layout.meta, this.options.by, set.rows[r], set.indexes[r] ?? r);
  }
}
