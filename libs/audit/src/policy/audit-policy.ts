import type { EntityMetadata } from '@mikro-orm/core';
import { TenantOwned } from '#libs/persistence';
import { AuditEntry } from '../entities/audit-entry.entity.js';
import { UnknownAuditedPropertyError } from '../errors/unknown-audited-property.error.js';
import { auditedOptionsOf, findNotAuditedReason } from './audited.decorator.js';

/** What may be told about a property. */
export type Disclosure = 'value' | 'personal' | 'secret' | 'nothing';

/** What may be told about a property, and its name as JSON: an import asks for it for every value it writes. */
export interface Telling {
  readonly disclosure: Disclosure;
  readonly json: string;
}

/** How changes of one class are recorded. */
export class AuditPolicy {
  static readonly #policies = new WeakMap<EntityMetadata, AuditPolicy>();

  readonly #secret: ReadonlySet<string>;
  readonly #ignored: ReadonlySet<string>;
  readonly #personal: ReadonlySet<string>;
  /** The property that names the person whom a row is about; `undefined`: the row's own key does. */
  readonly subject: string | undefined;
  readonly #tellings = new Map<string, Telling>();

  private constructor(meta: EntityMetadata) {
    const options = auditedOptionsOf(meta.class);
    const named = (list: 'secret' | 'ignore' | 'personal') => options.flatMap((it) => it[list] ?? []) as string[];
    const hidden = meta.props.filter((prop) => prop.hidden).map((prop) => prop.name as string);
    this.#secret = new Set([...hidden, ...named('secret')]);
    this.#ignored = new Set(named('ignore'));
    this.#personal = new Set(named('personal'));
    this.subject = options.findLast(({ subject }) => subject !== undefined)?.subject;
    const paths = [...this.#secret, ...this.#ignored, ...this.#personal, ...(this.subject ? [this.subject] : [])];
    for (const path of paths) assertStored(meta, path);
  }

  /**
   * Whether changes of this class belong on record: those of every tenant-owned class that nobody has excluded by name.
   * So a class that was forgotten is audited.
   */
  static isAudited(meta: EntityMetadata): boolean {
    if (meta.class === AuditEntry) return false;
    return meta.prototype instanceof TenantOwned && findNotAuditedReason(meta.class) === undefined;
  }

  /** @throws {UnknownAuditedPropertyError} */
  static of(meta: EntityMetadata): AuditPolicy {
    const policy = AuditPolicy.#policies.get(meta) ?? new AuditPolicy(meta);
    AuditPolicy.#policies.set(meta, policy);
    return policy;
  }

  /** Whether any property is personal. */
  get hasPersonal(): boolean {
    return this.#personal.size > 0;
  }

  /** @param path  a property, or the path of an embedded one */
  disclosureOf(path: string): Disclosure {
    return this.tellingOf(path).disclosure;
  }

  tellingOf(path: string): Telling {
    const known = this.#tellings.get(path);
    if (known) return known;
    // What is said of a whole also holds for its parts.
    const wholes = path.split('.').map((_, index, steps) => steps.slice(0, index + 1).join('.'));
    const isIn = (names: ReadonlySet<string>) => wholes.some((whole) => names.has(whole));
    const lists = [
      ['nothing', this.#ignored],
      ['secret', this.#secret],
      ['personal', this.#personal],
    ] as const;
    const disclosure: Disclosure = lists.find(([, names]) => isIn(names))?.[0] ?? 'value';
    const telling: Telling = { disclosure, json: JSON.stringify(path) };
    this.#tellings.set(path, telling);
    return telling;
  }
}

/** A misspelt secret would be written down in clear, for ever. */
function assertStored(meta: EntityMetadata, path: string): void {
  const [head = '', child] = path.split('.');
  const prop = meta.properties[head];
  const isKnown = prop && (child === undefined || prop.object || prop.array || prop.embeddedProps?.[child]);
  if (!isKnown) throw new UnknownAuditedPropertyError(meta.className, path);
}
