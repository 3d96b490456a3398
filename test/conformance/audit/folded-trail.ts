import { type Collection, type EntityMetadata, helper, ReferenceKind } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { AuditTrail } from '#libs/audit';
import { roots } from './random-work.js';

/** A tenant whose rows and trail are compared. */
export interface FoldedWorld {
  readonly trail: AuditTrail;
  /** Runs `fn` as the tenant, with its unit of work. */
  as<T>(fn: (em: SqlEntityManager) => Promise<T>): Promise<T>;
  entries(): Promise<readonly { readonly entityId?: string | null | undefined }[]>;
}

/** Neither is in the trail: secrets, and what is ignored. */
const UNTOLD = new Set(['apiKey', 'passwordHash', 'limit.amount', 'lastSeenAt']);

interface Seen {
  readonly [path: string]: unknown;
}

/** An entity as the trail would tell it, read property by property from what was loaded. */
function toldOf(entity: object): Seen {
  const meta = helper(entity).__meta as EntityMetadata;
  const told: Record<string, unknown> = {};
  for (const prop of meta.props) {
    const value = Reflect.get(entity, prop.name) as unknown;
    if (prop.primary || prop.embedded || UNTOLD.has(prop.name)) continue;
    if (prop.kind === ReferenceKind.MANY_TO_MANY && prop.owner)
      told[prop.name] = (value as Collection<{ id: string }>)
        .getItems()
        .map(({ id }) => id)
        .sort();
    else if (prop.kind === ReferenceKind.EMBEDDED) {
      for (const [name, part] of Object.entries(value as object)) {
        if (!UNTOLD.has(`${prop.name}.${name}`)) told[`${prop.name}.${name}`] = part;
      }
    } else if (prop.kind === ReferenceKind.SCALAR) told[prop.name] = value ?? null;
    else if (prop.kind === ReferenceKind.MANY_TO_ONE) told[prop.name] = (value as { id?: string } | null)?.id ?? null;
  }
  return JSON.parse(JSON.stringify(told)) as Seen;
}

/** Every row of the case's tenant, by id. */
export async function rowsOf(world: FoldedWorld): Promise<Record<string, Seen>> {
  const rows: Record<string, Seen> = {};
  await world.as(async (em) => {
    for (const root of roots) {
      const hasTags = 'tags' in em.getMetadata().get(root).properties;
      for (const entity of await em.find(root, {}, { populate: (hasTags ? ['tags'] : []) as never }))
        rows[entity.id] = toldOf(entity);
    }
  });
  return rows;
}

/** The same from the trail: the last state of every entity it tells of, those without links included. */
export async function statesOf(world: FoldedWorld): Promise<Record<string, Seen>> {
  const states: Record<string, Seen> = {};
  const ids = new Set((await world.entries()).flatMap(({ entityId }) => entityId ?? []));
  await world.as(async (em) => {
    for (const id of ids) {
      for (const root of roots) {
        const { versions } = await world.trail.versions(root, id, { limit: 1 });
        const state = versions[0] && (await world.trail.stateAt(root, id, versions[0].version));
        if (!state?.exists) continue;
        const meta = em.getMetadata().getByClassName(state.entityName as never) as EntityMetadata;
        const links = meta.props.filter(({ kind, owner }) => kind === ReferenceKind.MANY_TO_MANY && owner);
        const none = Object.fromEntries(links.map(({ name }) => [name, []]));
        const collections = Object.entries({ ...none, ...state.collections }).map(([name, keys]) => [
          name,
          [...keys].sort(),
        ]);
        states[id] = { ...state.values, ...Object.fromEntries(collections) };
      }
    }
  });
  return states;
}
