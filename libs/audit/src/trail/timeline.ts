import { AuditEntry } from '../entities/audit-entry.entity.js';
import type { EntityState } from './entity-version.js';
import { foldHistory, type RenamedProperties } from './fold-history.js';

/** Entries that stand for many rows; see `AuditRecorderOptions.maxRowEntries`. */
export const BULK_ACTIONS = ['bulk_create', 'bulk_update', 'bulk_delete'];

interface Step {
  readonly entry: AuditEntry;
  /** How many versions there are up to here. */
  readonly version: number;
  readonly isBulk: boolean;
}

/** All that is known of one entity in its order: its own entries, which are its versions, and those of bulk writes that reached it. */
export class Timeline {
  readonly #steps: readonly Step[];

  /**
   * @param own  entries of the entity, oldest first
   * @param bulk  entries that stand for many rows, of whichever
   */
  constructor(
    own: readonly AuditEntry[],
    bulk: readonly AuditEntry[],
    id: string,
    private readonly renamed: RenamedProperties,
  ) {
    const reached = bulk.filter((entry) => reaches(entry, id));
    const versions = new Set(own);
    let version = 0;
    this.#steps = [...own, ...reached.map(toOwn)]
      .toSorted((a, b) => (a.id < b.id ? -1 : 1))
      .map((entry) => {
        const isBulk = !versions.has(entry);
        if (!isBulk) version++;
        return { entry, version, isBulk };
      });
  }

  /** The state that a version left, if there is such a version. */
  afterVersion(version: number): EntityState | undefined {
    return this.#after(this.#steps.findIndex((step) => step.version === version && !step.isBulk));
  }

  /** The state at a time, to the millisecond. */
  at(time: Date): EntityState | undefined {
    return this.#after(this.#steps.findLastIndex(({ entry }) => entry.occurredAt.getTime() <= time.getTime()));
  }

  /** The state that everything left. */
  get last(): EntityState | undefined {
    return this.#after(this.#steps.length - 1);
  }

  #after(index: number): EntityState | undefined {
    const step = this.#steps[index];
    if (!step) return undefined;
    const entries = this.#steps.map(({ entry }) => entry);
    const state = foldHistory(entries, index, this.renamed);
    const begin = entries.findLastIndex((entry, at) => at <= index && entry.action === 'create');
    const wasReached = this.#steps.slice(Math.max(0, begin), index + 1).some(({ isBulk }) => isBulk);
    return {
      ...state,
      version: step.version,
      isComplete: state.isComplete && !wasReached,
      wasChangedInBulk: wasReached,
    };
  }
}

const newOf = (entry: AuditEntry, name: string): unknown => {
  const change = entry.getChanges()[name];
  return change && 'new' in change ? change.new : undefined;
};

function reaches(entry: AuditEntry, id: string): boolean {
  const keys = newOf(entry, 'keys');
  return Array.isArray(keys) && keys.includes(id);
}

/** What an entry of many rows says of one: values that all of them were given. What was worked out per row nobody knows. */
function toOwn(entry: AuditEntry): AuditEntry {
  const { set = {} } = (newOf(entry, 'statement') ?? {}) as { readonly set?: Record<string, unknown> };
  const changes = JSON.stringify(Object.fromEntries(flatten(set)));
  const action = entry.action.replace('bulk_', '');
  return Object.assign(Object.create(AuditEntry.prototype) as AuditEntry, entry, { action, changes });
}

function flatten(values: object, prefix = ''): [string, object][] {
  return Object.entries(values).flatMap(([name, value]): [string, object][] => {
    const path = prefix + name;
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [[path, { new: value }]];
    if ('secret' in value || 'sql' in value) return [[path, { secret: true }]];
    return flatten(value as object, `${path}.`);
  });
}
