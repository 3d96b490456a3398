const REASON = Symbol('append-only');

interface MaybeAppendOnly {
  [REASON]?: string;
}

/**
 * Declares that rows of an entity are added by `appendRows` alone and never change. Behind the guard every other write to
 * the table is refused, whoever sends it: flush, query builder, Kysely and raw SQL alike.
 *
 * @param reason what relies on it; it stands in the code for the reviewer
 */
export function AppendOnly(reason: string): ClassDecorator {
  return (target) => {
    Object.defineProperty(target, REASON, { value: reason });
  };
}

/** Whether an entity class, or one it extends, is declared with `@AppendOnly`. */
export function isAppendOnly(entity: object): boolean {
  return (entity as MaybeAppendOnly)[REASON] !== undefined;
}
