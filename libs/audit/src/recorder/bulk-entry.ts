import { type EntityMetadata, type EntityProperty, isRaw, Utils } from '@mikro-orm/core';
import type { BulkWrite, Change } from '#libs/persistence';
import { AuditPolicy } from '../policy/audit-policy.js';
import { type Happening, toEntityId } from './new-entry.js';

/** What stands in the place of a secret. */
const WITHHELD = { secret: true };

/** Changes that have entries of their own, and entries that stand for many. */
export interface SortedChanges {
  readonly rows: readonly Change[];
  readonly bulk: readonly Happening[];
}

/**
 * Takes out what belongs to batches of more than `maxRows` rows, and sums it up: an entry for each class and kind of
 * change, with the keys of the rows and what was asked for. Changed links stay: the request does not tell of them.
 */
export function sumUp(changes: readonly Change[], maxRows: number): SortedChanges {
  if (maxRows === Number.POSITIVE_INFINITY) return { rows: changes, bulk: [] };
  const isSummed = ({ bulk, kind, collections }: Change) =>
    bulk !== undefined && bulk.rows > maxRows && !(kind === 'update' && collections);
  const rows = changes.filter((change) => !isSummed(change));
  const groups = Map.groupBy(changes.filter(isSummed), ({ kind, meta, key }) =>
    [kind, meta.className, key.tenantId].join(' '),
  );
  return { rows, bulk: [...groups.values()].map(toHappening) };
}

function toHappening(changes: readonly Change[]): Happening {
  const [{ kind, meta, key, bulk }] = changes as [Change & { readonly bulk: BulkWrite }];
  const told = (value: unknown) => ({ old: null, new: value });
  const text = {
    rows: told(changes.length),
    keys: told(changes.map(toEntityId)),
    statement: told(toStatement(bulk, meta)),
  };
  const tenantId = key.tenantId as string;
  return {
    tenantId,
    action: `bulk_${kind}`,
    entityName: meta.className,
    entityId: null,
    changes: JSON.stringify(text),
  };
}

/** What was asked for, as far as it may be told. Rows that were given one by one are not repeated. */
function toStatement({ kind, where, set }: BulkWrite, meta: EntityMetadata): object {
  return {
    kind,
    ...(where && { where: tell(where, meta) }),
    ...(set && { set: tell(set, meta) }),
  };
}

/**
 * A condition or an assignment with its secrets withheld, at whatever depth: what has a secret property's name is one, also
 * inside of operators. What a condition asks of related rows is told as far as their own class allows.
 */
function tell(value: unknown, meta: EntityMetadata, path = ''): unknown {
  if (isRaw(value)) return { sql: value.sql, parameters: value.params.length };
  if (value instanceof Date || typeof value === 'bigint')
    return String(value instanceof Date ? value.toISOString() : value);
  if (Array.isArray(value)) return value.map((item) => tell(item, meta, path));
  if (typeof value !== 'object' || value === null) return value;
  if (!Utils.isPlainObject(value) && 'id' in value && Utils.isEntity(value, true)) return (value as { id: unknown }).id;
  const policy = AuditPolicy.of(meta);
  const told: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(value)) {
    const inner = name.startsWith('$') ? path : path === '' ? name : `${path}.${name}`;
    const isSecret = [inner, name].some((it) => it !== '' && policy.disclosureOf(it) !== 'value');
    const related = path === '' ? findRelated(meta, name) : undefined;
    if (isSecret) told[name] = WITHHELD;
    else told[name] = related ? tell(part, related) : tell(part, meta, inner);
  }
  return told;
}

/** The class at the other end of a relation. */
function findRelated(meta: EntityMetadata, name: string): EntityMetadata | undefined {
  const property = meta.properties[name as never] as EntityProperty | undefined;
  return property?.embeddedProps ? undefined : property?.targetMeta;
}
