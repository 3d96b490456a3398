import type { ApiRoute } from '../api-description.js';
import { type IsolationAnswer, jsonOf } from '../isolation-party.js';
import { type IsolationWorld, neverSeen, withoutIds } from '../isolation-world.js';

/** One promise about a resource. */
export interface IsolationCase {
  readonly title: string;
  /** Whether the resource has what the promise is about. */
  applies(world: IsolationWorld): boolean;
  /** What was seen that breaks the promise; nothing when it holds. */
  check(world: IsolationWorld): Promise<readonly string[]>;
}

const nameOf = ({ method, path }: ApiRoute) => `${method} ${path}`;

/** What of an answer could tell two cases apart, with `id` put aside. */
function faceOf({ status, headers, text }: IsolationAnswer, id: string): string {
  const names = Object.keys(headers).filter((name) => !/^(?:date|connection|keep-alive|ratelimit.*)$/.test(name));
  return JSON.stringify([status, headers['content-type'], names.sort(), text.replaceAll(id, '<id>')]);
}

/** Control: without it, "sees nothing" would also hold for a service that shows nobody anything. */
const ownerSees: IsolationCase = {
  title: 'shows a thing to its tenant',
  applies: ({ before, list }) => before !== undefined || list !== undefined,
  async check(world) {
    const { before, list, id, parties } = world;
    if (before !== undefined) return before.startsWith('200 ') ? [] : [`the tenant itself got ${before.slice(0, 200)}`];
    const { status, text } = await parties.victim.send({ method: 'GET', path: fullList(list as ApiRoute) });
    return status === 200 && text.includes(id) ? [] : [`the tenant itself got ${status} ${text.slice(0, 200)}`];
  },
};

const foreignId: IsolationCase = {
  title: "answers another tenant's id byte for byte like one that never existed",
  applies: ({ itemRoutes }) => itemRoutes.length > 0,
  async check(world) {
    const seen: string[] = [];
    const never = neverSeen(world.id);
    for (const route of world.itemRoutes) {
      const body = await world.bodyOf(route, world.parties.attacker);
      const send = (id: string) => world.attack({ method: route.method, path: world.pathOf(route, id), body });
      const [foreign, unknown] = [await send(world.id), await send(never)];
      if (foreign.status !== 404) seen.push(`${nameOf(route)}: ${foreign.status} ${foreign.text.slice(0, 120)}`);
      else if (faceOf(foreign, world.id) !== faceOf(unknown, never)) seen.push(`${nameOf(route)}: the two 404 differ`);
    }
    return seen;
  },
};

const unchanged: IsolationCase = {
  title: 'leaves it as it was, whatever others have tried',
  applies: ({ before }) => before !== undefined,
  async check(world) {
    const after = await world.look();
    return after === world.before ? [] : [`it was ${world.before?.slice(0, 200)} and is ${after?.slice(0, 200)}`];
  },
};

/** As many as one page takes. */
function fullList({ path, query }: ApiRoute): string {
  return query.some(({ name }) => name === 'limit') ? `${path}?limit=100` : path;
}

const lists: IsolationCase = {
  title: 'lists what is of the tenant, and nothing else',
  applies: ({ list, id }) => list !== undefined && id !== '',
  async check(world) {
    const path = fullList(world.list as ApiRoute);
    const own = await world.parties.victim.send({ method: 'GET', path });
    const foreign = await world.attack({ method: 'GET', path });
    if (!own.text.includes(world.id)) return [`GET ${path}: the tenant itself does not find ${world.id}`];
    return foreign.status === 200 && !foreign.text.includes(world.id)
      ? []
      : [`GET ${path}: ${foreign.status}, it is there`];
  },
};

const filters: IsolationCase = {
  title: "finds nothing by another tenant's values",
  applies: ({ list, id }) => id !== '' && (list?.query.length ?? 0) > 0,
  async check(world) {
    const list = world.list as ApiRoute;
    const { canary } = world.parties.victim;
    const seen: string[] = [];
    for (const { name } of list.query.filter((it) => !/^(?:limit|sort)$/.test(it.name))) {
      for (const value of [world.id, canary]) {
        const send = (it: string) =>
          world.attack({ method: 'GET', path: `${list.path}?${encodeURIComponent(name)}=${encodeURIComponent(it)}` });
        const never = neverSeen(value);
        const [foreign, unknown] = [await send(value), await send(never)];
        if (faceOf(foreign, value) !== faceOf(unknown, never))
          seen.push(`GET ${list.path}?${name}=…: it makes a difference`);
      }
    }
    return seen;
  },
};

const cursors: IsolationCase = {
  title: "shows nothing of another tenant where that one's page ended",
  applies: ({ list }) => list?.query.some(({ name }) => name === 'cursor') ?? false,
  async check(world) {
    const { path } = world.list as ApiRoute;
    await world.prepare();
    const { nextCursor } = jsonOf(await world.parties.victim.send({ method: 'GET', path: `${path}?limit=1` }));
    if (typeof nextCursor !== 'string') return [];
    const next = `${path}?cursor=${encodeURIComponent(nextCursor)}`;
    const { data = [] } = jsonOf(await world.parties.victim.send({ method: 'GET', path: next }));
    const { text } = await world.attack({ method: 'GET', path: next });
    const told = (data as { id: string }[]).filter(({ id }) => text.includes(id));
    return told.length > 0 ? [`GET ${path}?cursor=…: ${told.length} of the other tenant`] : [];
  },
};

const references: IsolationCase = {
  title: "makes nothing out of another tenant's things",
  applies: ({ creation, resource }) => creation !== undefined && resource.create !== undefined,
  async check(world) {
    const creation = world.creation as ApiRoute;
    const body = await world.bodyOf(creation, world.parties.victim);
    const { value, replaced } = withoutIds(body);
    if (replaced.size === 0) return [];
    const send = (it: unknown) => world.attack({ method: 'POST', path: creation.path, body: it });
    const [foreign, unknown] = [await send(body), await send(value)];
    let text = foreign.text;
    for (const [id, other] of replaced) text = text.replaceAll(id, other);
    if (foreign.status !== 404) return [`${nameOf(creation)}: ${foreign.status} ${foreign.text.slice(0, 120)}`];
    return faceOf({ ...foreign, text }, '') === faceOf(unknown, '') ? [] : [`${nameOf(creation)}: the refusals differ`];
  },
};

const givenTenant: IsolationCase = {
  title: 'takes no tenant from a body',
  applies: ({ creation }) => creation?.body !== undefined,
  async check(world) {
    const creation = world.creation as ApiRoute;
    const { victim, attacker } = world.parties;
    const seen: string[] = [];
    for (const name of ['tenantId', 'tenant_id', 'tenant']) {
      const body = { ...((await world.bodyOf(creation, attacker)) as object), [name]: victim.tenantId };
      const { status, text } = await world.attack({ method: 'POST', path: creation.path, body });
      // Refused is best; ignored is as good, and then nothing of it is with the other tenant.
      if (status < 300 && (await isWith(world, text))) seen.push(`${nameOf(creation)} with ${name}: it went over`);
    }
    return seen;
  },
};

/** Whether what the attacker has just made is among the victim's things. */
async function isWith(world: IsolationWorld, made: string): Promise<boolean> {
  const { victim, attacker } = world.parties;
  const { id } = jsonOf({ status: 201, headers: {}, text: made });
  const answers = [
    ...(world.list ? [await victim.send({ method: 'GET', path: fullList(world.list) })] : []),
    ...world.itemRoutes
      .slice(0, 1)
      .map((route) => ({ method: 'GET', path: world.pathOf(route, String(id)) }))
      .map(victim.send),
  ];
  const texts = (await Promise.all(answers)).filter(({ status }) => status === 200).map(({ text }) => text);
  return texts.some((text) => text.includes(String(id)) || text.includes(attacker.canary));
}

/** Whatever else is asked: the credentials are of one tenant, and the request names another. */
const spoofed: IsolationCase = {
  title: 'refuses credentials of one tenant where the request names another, on every route',
  applies: () => true,
  async check(world) {
    const { slug } = world.parties.victim;
    const seen: string[] = [];
    for (const route of world.routes.filter(({ isPublic }) => !isPublic)) {
      const path = world.pathOf(route, world.id || 'x');
      const body = route.body && (await world.bodyOf(route, world.parties.attacker));
      const calls = [
        { method: route.method, path, body, headers: { 'x-tenant': slug } },
        { method: route.method, path: `/t/${slug}${path}`, body },
      ];
      for (const call of calls) {
        const { status } = await world.attack(call);
        if (status !== 403) seen.push(`${route.method} ${call.path}: ${status}`);
      }
    }
    return seen;
  },
};

const told: IsolationCase = {
  title: 'tells another tenant nothing of what it holds, in any answer',
  applies: () => true,
  check: async ({ leaks }) => leaks,
};

/** In this order: what has been tried is looked at afterwards. */
export const isolationCases: readonly IsolationCase[] = [
  ownerSees,
  foreignId,
  unchanged,
  lists,
  references,
  givenTenant,
  spoofed,
  cursors,
  // Last: what somebody looked for may stand in their own trail afterwards.
  filters,
  told,
];
