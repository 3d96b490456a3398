import type { EntityClass } from '@mikro-orm/core';

/** What is special about auditing one class. Names are properties, or paths of embedded ones (`address.street`). */
export interface AuditedOptions<Entity> {
  /**
   * Recorded as changed, with no value anywhere: credentials, tokens, card numbers. Properties that MikroORM hides
   * (`hidden: true`) count as secret without being named.
   */
  readonly secret?: readonly PropertyPath<Entity>[];
  /**
   * About a person, whom the row is about or who owns it: recorded with its values, under a key of that person, so that they
   * can be erased. The row's own id names the person, unless `subject` says otherwise.
   */
  readonly personal?: readonly PropertyPath<Entity>[];
  /** The property that holds the id of the person: `customer`. It must never change once it is set. */
  readonly subject?: keyof Entity & string;
  /** Not recorded. A change to nothing else makes no entry. For what is derived or noise, never for what is sensitive. */
  readonly ignore?: readonly PropertyPath<Entity>[];
  /**
   * Former names of properties, each with its present one: `{ title: 'name' }`. Stored entries are never rewritten; versions
   * and states are read through this. Name a property's former name here when a migration renames it.
   */
  readonly renamed?: Readonly<Record<string, PropertyPath<Entity>>>;
}

type PropertyPath<Entity> = (keyof Entity & string) | `${keyof Entity & string}.${string}`;

const OPTIONS = Symbol('audited');
const REASON = Symbol('not audited');

interface MaybeAudited {
  [OPTIONS]?: AuditedOptions<object>;
  [REASON]?: string;
}

/**
 * Says how a class is audited. Tenant-owned classes are audited without it; it is for their secret and ignored properties.
 * Kinds inherit what their base class says and may add to it.
 *
 * @example
 * @Audited<CardPayment>({ secret: ['cardToken'] })
 * @Entity({ discriminatorValue: 'card' })
 * export class CardPayment extends Payment {}
 */
export function Audited<Entity extends object>(
  options: AuditedOptions<Entity> = {},
): (target: EntityClass<Entity>) => void {
  return (target) => audited(target, options);
}

/** `@Audited` for a class that cannot be decorated, such as one of a package. Call it before the ORM is made. */
export function audited<Entity extends object>(
  target: EntityClass<Entity>,
  options: AuditedOptions<Entity> = {},
): void {
  Object.defineProperty(target, OPTIONS, { value: options, configurable: true });
}

/**
 * Leaves a class, and those that extend it, out of the trail. Whoever reads the trail will take it for complete, so name
 * why this class does not matter.
 *
 * @param reason  stands in the code for the reviewer
 */
export function NotAudited(reason: string): ClassDecorator {
  return (target) => {
    Object.defineProperty(target, REASON, { value: reason });
  };
}

/** Why a class is not audited, or `undefined` when it is. */
export function findNotAuditedReason(target: object): string | undefined {
  return (target as MaybeAudited)[REASON];
}

/** What a class and those it extends say, most general first. */
export function auditedOptionsOf(target: object): AuditedOptions<object>[] {
  const all: AuditedOptions<object>[] = [];
  for (let it: object | null = target; it; it = Object.getPrototypeOf(it)) {
    const options = Object.hasOwn(it, OPTIONS) && (it as MaybeAudited)[OPTIONS];
    if (options) all.unshift(options);
  }
  return all;
}
