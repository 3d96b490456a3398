import type { RowSource } from './bulk.options.js';
import type { SourceRow } from './mapped-column.js';

/** Rows of one transaction. */
export interface Batch {
  readonly rows: readonly SourceRow[];
  /** Position of the first one in the source. */
  readonly firstIndex: number;
}

const STREAM_BATCH_ROWS = 1000;

/** Cuts a source into batches, reading no further ahead than the batch it is filling. */
export async function* cutBatches(source: RowSource<object>, size?: number): AsyncIterable<Batch> {
  if (Array.isArray(source)) {
    const rows = source as readonly SourceRow[];
    const step = size ?? Math.max(rows.length, 1);
    for (let from = 0; from < rows.length; from += step) {
      yield { rows: step >= rows.length ? rows : rows.slice(from, from + step), firstIndex: from };
    }
    return;
  }
  let rows: SourceRow[] = [];
  let firstIndex = 0;
  for await (const row of source) {
    rows.push(row as SourceRow);
    if (rows.length < (size ?? STREAM_BATCH_ROWS)) continue;
    yield { rows, firstIndex };
    firstIndex += rows.length;
    rows = [];
  }
  if (rows.length > 0) yield { rows, firstIndex };
}
