import type { Change } from '#libs/persistence';
import { AuditPolicy } from '../policy/audit-policy.js';
import type { Cover } from '../recorder/changes-text.js';
import { type Circumstances, toEntityId } from '../recorder/new-entry.js';
import type { AuditKeys } from '../sealing/audit-keys.js';
import { encipher, type PersonalKey } from './personal-cipher.js';
import type { KeyTarget, PersonalKeys } from './personal-keys.js';

/** What is about to be written. */
export interface PersonalWork {
  readonly changes?: readonly Change[];
  readonly circumstances: Circumstances;
}

const NONE: ReadonlyMap<string, PersonalKey> = new Map();

/** Puts what is personal about the entries of one tenant and transaction under the keys of the persons. */
export class PersonalCover {
  private constructor(
    private readonly keys: ReadonlyMap<string, PersonalKey>,
    private readonly subjects: ReadonlyMap<Change, string | undefined>,
    private readonly circumstances: Circumstances,
    private readonly actor: string | undefined,
  ) {}

  /** Whether a key may be asked for at all. */
  static isNeeded(changes: readonly Change[], { keys }: { readonly keys?: AuditKeys | undefined }): boolean {
    return keys !== undefined || changes.some(({ meta }) => AuditPolicy.of(meta).hasPersonal);
  }

  /** Without keys: what is personal is left out. */
  static withheld(circumstances: Circumstances): PersonalCover {
    const known = { ...circumstances, actorEmail: null, ip: null, userAgent: null };
    return new PersonalCover(NONE, new Map(), known, undefined);
  }

  static async open(
    target: KeyTarget & { readonly keys?: AuditKeys | undefined },
    keys: PersonalKeys,
    tenantId: string,
    { changes = [], circumstances }: PersonalWork,
  ): Promise<PersonalCover> {
    const actor = target.keys ? findActor(circumstances) : undefined;
    const about = changes.filter(({ meta }) => AuditPolicy.of(meta).hasPersonal);
    const subjects = new Map(about.map((change) => [change, subjectOf(change)]));
    for (const [change, subject] of subjects) if (!subject) subjects.set(change, await readSubject(target, change));
    const all = [...subjects.values(), actor].flatMap((it) => it ?? []);
    const found = all.length === 0 ? NONE : await keys.get(target, tenantId, all);
    return new PersonalCover(found, subjects, circumstances, actor);
  }

  /** For the personal properties of a changed row; `undefined` when nobody knows whom they are about. */
  coverOf(change: Change): Cover | undefined {
    const key = this.keys.get(this.subjects.get(change) ?? '');
    return key && ((json) => encipher(json, key));
  }

  /** E-mail, address and program of the actor in one envelope, in the place of the columns. */
  coverCircumstances(): Circumstances {
    const key = this.actor === undefined ? undefined : this.keys.get(this.actor);
    if (!key) return this.circumstances;
    const { actorEmail, ip, userAgent } = this.circumstances;
    const personal = encipher(JSON.stringify({ actorEmail, ip, userAgent }), key);
    return { ...this.circumstances, actorEmail: null, ip: null, userAgent: null, personal };
  }
}

/** The actor, when there is something to hide. What is known of nobody in particular is nobody's to erase. */
function findActor({ actorId, actorEmail, ip, userAgent }: Circumstances): string | undefined {
  return actorId && (actorEmail || ip || userAgent) ? actorId : undefined;
}

/** An update that does not touch the property that names the person: the row knows. */
async function readSubject(
  { entityManager, transaction }: KeyTarget,
  { meta, key }: Change,
): Promise<string | undefined> {
  const name = AuditPolicy.of(meta).subject as string;
  const options = { ctx: transaction, schema: entityManager.schema, fields: [...meta.primaryKeys, name] } as never;
  const row = await entityManager.getDriver().findOne(meta.class, { ...key } as never, options);
  // A to-one relation is read as its key, which begins with the tenant.
  const value = [(row as Record<string, unknown> | null)?.[name]].flat().at(-1);
  return value === null || value === undefined ? undefined : String(value);
}

/** Id of the person whom a change is about, as far as the change itself says. */
function subjectOf(change: Change): string | undefined {
  const { subject } = AuditPolicy.of(change.meta);
  if (subject === undefined) return toEntityId(change);
  const value = change.new?.[subject] ?? change.old?.[subject] ?? change.key[subject];
  return value === null || value === undefined ? undefined : String(value);
}
