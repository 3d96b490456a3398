import type { DatabaseFault } from './bulk-dialect.js';

/** The name of one branch: the part that a transaction over several databases has in one of them. */
export interface BranchName {
  /** The whole transaction; the same in every database. At most 64 of the characters `a-z A-Z 0-9 . _ -`. */
  readonly transaction: string;
  /** The part in this database; no two databases of one server may share it. As long, and of the same characters. */
  readonly branch: string;
}

/** A branch that has been prepared and not finished yet: it survives a crash, and holds its locks until it is finished. */
export interface PreparedBranch extends BranchName {
  /** Clock of the database; absent where it does not keep it. */
  readonly preparedAt?: Date;
}

/** How one database product does its part of a two-phase commit. */
export interface TwoPhaseDialect {
  /**
   * Statements for a branch that has its session from the first one on. Absent where an ordinary transaction becomes a
   * branch when it is prepared, and belongs to no session from then on.
   */
  readonly session?: {
    /** Instead of `begin`. */
    begin(name: BranchName): string;
    /** Instead of `commit`, of one that was not prepared: the last statement decides. */
    commit(name: BranchName): readonly string[];
    /** Instead of `rollback`, of one that was not prepared. */
    rollback(name: BranchName): readonly string[];
    /** Ends the session, so that another may finish the branch that is prepared in it. */
    readonly leave: string;
  };
  /** Promises to commit whenever it is told to. */
  prepare(name: BranchName): readonly string[];
  /** Finishes a prepared branch, from any session that may. */
  commit(name: BranchName): string;
  rollback(name: BranchName): string;
  /** Whether the error says that no branch of this name is there: it is finished, or its session still has it. */
  isUnknown(error: DatabaseFault): boolean;
  /** Lists what is prepared. Of the whole server, where it does not keep the databases apart. */
  readonly list: string;
  /** One row of the list; `undefined` for what is nobody's branch here. */
  read(row: Readonly<Record<string, unknown>>): PreparedBranch | undefined;
  /** Gives how many branches may be prepared at once; absent where there is no limit. */
  readonly capacity?: string;
  /** Takes and gives back a lock of the session, which somebody else may have: `{ taken: 1 }`. */
  lock(name: string): string;
  unlock(name: string): string;
}

const SAFE = /^[\w.-]{1,64}$/;

/** Quoted for SQL. Names are made by us and hold nothing to escape; anything else is a mistake. */
export function quoted(name: string): string {
  if (!SAFE.test(name)) throw new TypeError(`"${name}" cannot name a branch: 1 to 64 of a-z A-Z 0-9 . _ -`);
  return `'${name}'`;
}
