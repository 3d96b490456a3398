import { type ApiDescription, type IsolationResult, jsonOf, routesOf } from '#libs/isolation';
import type { CanaryTenants } from './canary-tenants.js';
import type { CanaryTenant, RemoteInstance } from './remote-instance.js';

const RESOURCE = 'credentials';

/** What credentials may and may not, whatever the resource. */
export interface CredentialWorld {
  readonly instance: RemoteInstance;
  readonly description: ApiDescription;
  readonly tenants: CanaryTenants;
  readonly victim: CanaryTenant;
  readonly attacker: CanaryTenant;
}

type Check = (world: CredentialWorld) => Promise<readonly string[]>;

const withoutCredentials: Check = async ({ instance, description }) => {
  const seen: string[] = [];
  for (const { method, path } of routesOf(description).filter(({ isPublic }) => !isPublic)) {
    const { status } = await instance.send({ method, path: path.replace(/\{[^}]+\}/g, 'x') });
    if (status !== 401) seen.push(`${method} ${path}: ${status}`);
  }
  return seen;
};

const operatorsRoutes: Check = async ({ description, attacker, victim }) => {
  const seen: string[] = [];
  for (const { method, path } of routesOf(description, '/v1/platform')) {
    const { status } = await attacker.send({ method, path: path.replace(/\{[^}]+\}/g, victim.slug) });
    if (status !== 403) seen.push(`${method} ${path}: ${status}`);
  }
  return seen;
};

/** A token whose claims were changed after it was signed, and one that says it needs no signature. */
const forgedTokens: Check = async ({ instance, victim, attacker }) => {
  const login = await instance.send({ method: 'POST', path: '/v1/auth/login', body: attacker.owner });
  const [header = '', payload = '', signature = ''] = String(jsonOf(login).accessToken).split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
  const forged = Buffer.from(JSON.stringify({ ...claims, tid: victim.tenantId })).toString('base64url');
  const unsigned = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
  const seen: string[] = [];
  for (const token of [`${header}.${forged}.${signature}`, `${unsigned}.${forged}.`, `${header}.${forged}.`]) {
    const { status } = await instance.send({
      method: 'GET',
      path: '/v1/auth/me',
      headers: { authorization: `Bearer ${token}` },
    });
    if (status !== 401) seen.push(`GET /v1/auth/me: ${status}`);
  }
  return seen;
};

const logInElsewhere: Check = async ({ instance, victim, attacker }) => {
  const { status } = await instance.send({
    method: 'POST',
    path: '/v1/auth/login',
    body: { ...attacker.owner, tenant: victim.slug },
  });
  return status === 401 ? [] : [`POST /v1/auth/login: ${status}`];
};

/** The next request, with everything the instance keeps in memory warm. */
const suspension: Check = async ({ instance, tenants, victim, attacker }) => {
  const key = await victim.send({
    method: 'POST',
    path: '/v1/api-keys',
    body: { name: victim.canary, permissions: ['catalogue:read'] },
  });
  const session = await instance.send({ method: 'POST', path: '/v1/auth/login', body: victim.owner });
  const { refreshToken } = jsonOf(session);
  const read = { method: 'GET', path: '/v1/products' };
  const byKey = () => instance.send({ ...read, headers: { 'x-api-key': String(jsonOf(key).key) } });
  const ways = {
    bearer: () => victim.send(read),
    key: byKey,
    refresh: () => instance.send({ method: 'POST', path: '/v1/auth/refresh', body: { refreshToken } }),
    'log-in': () => instance.send({ method: 'POST', path: '/v1/auth/login', body: victim.owner }),
  };
  const warm = await Promise.all([ways.bearer(), ways.key()]);
  const seen = warm.filter(({ status }) => status !== 200).map(({ status }) => `before it: ${status}`);
  await tenants.change(victim.slug, 'suspended');
  for (const [way, send] of Object.entries(ways)) {
    const { status } = await send();
    if (status !== 403) seen.push(`${way}: ${status}`);
  }
  if ((await attacker.send(read)).status !== 200) seen.push('the other tenant was shut out too');
  await tenants.change(victim.slug, 'active');
  if ((await ways.bearer()).status !== 200) seen.push('it was not let in again');
  return seen;
};

const cases: readonly (readonly [title: string, check: Check])[] = [
  ['asks for credentials on every route that is not public', withoutCredentials],
  ["keeps tenants out of the operators' routes", operatorsRoutes],
  ['takes no token that was changed', forgedTokens],
  ['logs nobody in to a tenant that is not theirs', logInElsewhere],
  ['refuses a suspended tenant on its next request, by token, key, refresh and log-in', suspension],
];

/** Runs them all. */
export async function probeCredentials(world: CredentialWorld): Promise<IsolationResult[]> {
  const results: IsolationResult[] = [];
  for (const [title, check] of cases) {
    const seen = await check(world);
    results.push({ resource: RESOURCE, title, holds: seen.length === 0, ...(seen[0] && { detail: seen.join('; ') }) });
  }
  return results;
}
