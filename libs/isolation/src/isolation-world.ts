import { randomUUID } from 'node:crypto';
import { type ApiDescription, type ApiRoute, routesOf } from './api-description.js';
import { type IsolationAnswer, type IsolationCall, type IsolationParty, jsonOf } from './isolation-party.js';
import type { IsolationResource } from './isolation-resource.js';
import { sample } from './sample.js';

/** The tenant whose things are tried, and the one that tries. */
export interface IsolationParties {
  readonly victim: IsolationParty;
  readonly attacker: IsolationParty;
}

/** So that two answers differ in nothing but what they answer. */
const SAME_ID = { 'x-request-id': 'isolation' };
const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/gi;

/** An id of the same form that nothing has. */
export function neverSeen(id: string): string {
  if (id.replace(UUID, '') === '') return `${id.slice(0, 24)}${randomUUID().slice(24)}`;
  return id.replace(/[a-z0-9]/gi, (letter) => (/\d/.test(letter) ? '9' : 'z'));
}

/** `value` with all ids in it replaced by ids that nothing has, always the same for the same. */
export function withoutIds(value: unknown): {
  readonly value: unknown;
  readonly replaced: ReadonlyMap<string, string>;
} {
  const replaced = new Map<string, string>();
  const text = JSON.stringify(value ?? null).replace(UUID, (id) => {
    const other = replaced.get(id) ?? neverSeen(id);
    replaced.set(id, other);
    return other;
  });
  return { value: JSON.parse(text), replaced };
}

/** One resource, its routes, and something of it that belongs to the victim. */
export class IsolationWorld {
  readonly routes: readonly ApiRoute[];
  /** Calls of the attacker that told something of the victim. */
  readonly leaks: string[] = [];
  /** Id of the victim's. */
  id = '';
  /** How the victim sees it, before anybody has tried anything. */
  before: string | undefined;

  constructor(
    readonly description: ApiDescription,
    readonly resource: IsolationResource,
    readonly parties: IsolationParties,
  ) {
    this.routes = routesOf(description, resource.path);
    if (this.routes.length === 0) throw new Error(`The description of the API has no route at ${resource.path}.`);
  }

  get list(): ApiRoute | undefined {
    return this.routes.find(({ method, path }) => method === 'GET' && path === this.resource.path);
  }

  get creation(): ApiRoute | undefined {
    return this.routes.find(({ method, path }) => method === 'POST' && path === this.resource.path);
  }

  /** Routes of one thing: those with an id after the path. */
  get itemRoutes(): ApiRoute[] {
    return this.routes.filter(({ path }) => path.startsWith(`${this.resource.path}/{`));
  }

  /** Sends as the attacker, and notes what should not be in the answer. */
  async attack(call: IsolationCall): Promise<IsolationAnswer> {
    const { attacker, victim } = this.parties;
    const answer = await attacker.send({ ...call, headers: { ...SAME_ID, ...call.headers } });
    // Also in capitals: an e-mail may have been written so.
    if (answer.text.toLowerCase().includes(victim.canary.toLowerCase()) && !wasSaid(call, victim.canary)) {
      this.leaks.push(`${call.method} ${call.path}`);
    }
    return answer;
  }

  /** Makes the victim's thing, and remembers how it looks. @throws {Error} when it cannot be made: nothing would be shown */
  async prepare(): Promise<void> {
    const { victim } = this.parties;
    if (this.resource.make) this.id = await this.resource.make(victim);
    else if (this.creation) this.id = await this.#create(this.creation, victim);
    this.before = await this.look();
  }

  /** What the victim sees of its thing; `undefined` when no route shows one. */
  async look(): Promise<string | undefined> {
    const route = this.itemRoutes.find(({ method, path }) => method === 'GET' && path.endsWith('}'));
    if (!route) return undefined;
    const { status, text } = await this.parties.victim.send({ method: 'GET', path: this.pathOf(route, this.id) });
    return `${status} ${text}`;
  }

  /** The path of a route for an id, with what its query needs. */
  pathOf(route: ApiRoute, id: string): string {
    const path = route.path.replace(/\{[^}]+\}/g, encodeURIComponent(id));
    const needed = route.query.filter(({ required }) => required);
    const query = needed.map(({ name }) => `${encodeURIComponent(name)}=1`).join('&');
    return query ? `${path}?${query}` : path;
  }

  /** A body that the route takes from `party`. */
  async bodyOf(route: ApiRoute, party: IsolationParty): Promise<unknown> {
    const own = this.resource.bodies?.[`${route.method} ${route.path}`];
    if (own !== undefined) return own;
    if (route === this.creation && this.resource.create) return this.resource.create(party);
    return route.body && sample(route.body, this.description, party.canary);
  }

  async #create(route: ApiRoute, party: IsolationParty): Promise<string> {
    const answer = await party.send({ method: 'POST', path: route.path, body: await this.bodyOf(route, party) });
    const { id } = jsonOf(answer);
    if (answer.status >= 300 || (typeof id !== 'string' && this.itemRoutes.length > 0)) {
      throw new Error(`${route.method} ${route.path} made nothing (${answer.status}): ${answer.text.slice(0, 300)}`);
    }
    return String(id ?? '');
  }
}

/** A problem repeats the path it is about: what the attacker said is no news. */
function wasSaid({ path, body }: IsolationCall, text: string): boolean {
  return `${decodeURIComponent(path)} ${JSON.stringify(body ?? null)}`.toLowerCase().includes(text.toLowerCase());
}
