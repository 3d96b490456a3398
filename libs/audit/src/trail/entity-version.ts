import type { AuditEntry } from '../entities/audit-entry.entity.js';

/** One recorded change to one entity, by its place in that entity's history. */
export interface EntityVersion {
  /** 1 for the oldest. Stays the same while changes are added. */
  readonly version: number;
  readonly action: 'create' | 'update' | 'delete';
  /** UTC, as in `AuditEntry.occurredAt`. */
  readonly at: Date;
  /** The whole entry: who, why, from where, and what changed. */
  readonly entry: AuditEntry;
}

/** Versions of one entity, newest first. */
export interface VersionPage {
  readonly versions: readonly EntityVersion[];
  /** Give it as `before` for the next page; `null` on the last one. */
  readonly nextBefore: number | null;
}

/** An entity as it was after one of its versions, put together from the trail. */
export interface EntityState {
  /** The version it is the state after. */
  readonly version: number;
  readonly at: Date;
  /** Concrete class. */
  readonly entityName: string;
  /** False after a deletion; `values` are then the last ones. */
  readonly exists: boolean;
  /** Stored values by property, embedded ones by path, as in `RecordedChanges`. */
  readonly values: Readonly<Record<string, unknown>>;
  /** Keys of linked rows, by many-to-many property of the owning side. Without those that were never linked. */
  readonly collections: Readonly<Record<string, readonly unknown[]>>;
  /** Properties that had a value which the trail does not know: secret ones, and results of expressions of bulk writes. */
  readonly withheld: readonly string[];
  /**
   * False when the trail begins later than the entity, so that properties which never changed are unknown, and after a bulk
   * write that one entry stands for.
   */
  readonly isComplete: boolean;
  /** Whether a bulk write that one entry stands for has changed it: `values` hold what all of its rows were given. */
  readonly wasChangedInBulk: boolean;
}

/** Properties in which two states differ; absent counts as `null`. */
export type StateDifference = Readonly<Record<string, { readonly old: unknown; readonly new: unknown }>>;
