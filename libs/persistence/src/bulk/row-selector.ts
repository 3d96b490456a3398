import type { SqlEntityManager } from '@mikro-orm/sql';
import type { Batch } from './batches.js';
import type { BulkOptions, BulkSelection, RowSource } from './bulk.options.js';
import { isInHierarchy, lockByClass, type RowsOfClass } from './concrete-classes.js';
import type { EntityLayout } from './entity-layout.js';
import { KeySelection } from './key-selection.js';
import type { SourceRow } from './mapped-column.js';
import { keyText } from './natural-key.js';
import type { RowReader } from './row-reader.js';

/** The rows that a bulk update or delete reaches, batch by batch. */
export class RowSelector {
  readonly #selection: KeySelection;

  constructor(
    private readonly layout: EntityLayout,
    private readonly reader: RowReader,
    selection: BulkSelection<object>,
  ) {
    this.#selection = new KeySelection(layout, selection, reader.tenantId);
  }

  source(em: SqlEntityManager, options: BulkOptions): RowSource<SourceRow> {
    return this.#selection.source(em, options);
  }

  /** Keys of a batch by class. Where another class is possible, or a condition must hold, rows are locked and looked at. */
  async select(em: SqlEntityManager, { rows, firstIndex }: Batch) {
    const { layout } = this;
    const { set, faults } = this.reader.readKeys(rows, firstIndex);
    const keys = layout.keys.map((key) => set.values[key] ?? []);
    if (set.rows.length === 0) return { groups: [], faults };
    if (!this.#selection.isConditional && !isInHierarchy(layout.meta))
      return { groups: [{ meta: layout.meta, keys }], faults };
    const locked = await lockByClass(em, layout.meta, keys);
    return { groups: this.#selection.isConditional ? await this.#matching(em, set.rows, locked) : locked, faults };
  }

  async #matching(em: SqlEntityManager, rows: readonly SourceRow[], locked: RowsOfClass[]): Promise<RowsOfClass[]> {
    const matching = this.reader.readKeys(await this.#selection.findMatching(em, rows), 0).set;
    const texts = new Set(matching.rows.map((_, r) => keyText(matching.values, this.layout.keys, r)));
    const own = locked.map(({ meta, keys }) => {
      const places = keys.map((_, c) => c);
      const rest = (keys[0] ?? []).flatMap((_, k) => (texts.has(keyText(keys, places, k)) ? [k] : []));
      return { meta, keys: keys.map((column) => rest.map((k) => column[k])) };
    });
    return own.filter(({ keys }) => (keys[0]?.length ?? 0) > 0);
  }
}
