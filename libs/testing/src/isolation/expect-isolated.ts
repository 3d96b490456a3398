import { randomBytes } from 'node:crypto';
import {
  type ApiDescription,
  type IsolationCall,
  type IsolationParty,
  type IsolationResource,
  type IsolationResult,
  jsonOf,
  probeResource,
} from '#libs/isolation';

/** The part of a Nest application on Fastify that is used here. */
export interface InjectableApp {
  inject(request: { method: 'GET'; url: string; headers: Record<string, string>; payload?: string }): Promise<{
    statusCode: number;
    headers: Record<string, unknown>;
    payload: string;
  }>;
}

async function send(app: InjectableApp, { method, path, headers = {}, body }: IsolationCall) {
  const answer = await app.inject({
    method: method as 'GET',
    url: path,
    headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    payload: body === undefined ? undefined : JSON.stringify(body),
  });
  const named = Object.entries(answer.headers).map(([name, value]) => [name, String(value)]);
  return { status: answer.statusCode, headers: Object.fromEntries(named), text: answer.payload };
}

async function signUp(app: InjectableApp): Promise<IsolationParty> {
  // Apart from the slug, which others may say: whoever names a tenant finds that name in their own trail.
  const [slug, canary] = ['tenant', 'canary'].map((it) => `${it}-${randomBytes(6).toString('hex')}`) as [
    string,
    string,
  ];
  const owner = { email: `owner@${canary}.example`, password: `password of ${canary}`, name: canary };
  const made = await send(app, { method: 'POST', path: '/v1/tenants', body: { slug, name: canary, owner } });
  const { email, password } = owner;
  const login = await send(app, { method: 'POST', path: '/v1/auth/login', body: { email, password } });
  if (made.status !== 201 || login.status !== 200) throw new Error(`No tenant was made: ${made.text} ${login.text}`);
  const authorization = `Bearer ${jsonOf(login).accessToken}`;
  const { id } = jsonOf(made).tenant as { id: string };
  return {
    tenantId: id,
    slug,
    canary,
    send: (call) => send(app, { ...call, headers: { authorization, ...call.headers } }),
  };
}

/** `products` stands for `/v1/products`. */
function toResource(resource: string | IsolationResource): IsolationResource {
  if (typeof resource !== 'string') return resource;
  return { path: resource.startsWith('/') ? resource : `/v1/${resource}` };
}

/**
 * Expects that one tenant cannot reach what another has of a resource: signs two tenants up, finds the resource's routes in the
 * application's OpenAPI document, and tries each of them as the one with what is the other's.
 *
 * @param resource  `'products'`, or more about it where its bodies cannot be made from the document
 * @returns what was tried
 * @throws {Error} that lists each promise that does not hold, with what was seen
 *
 * @example
 * it('keeps invoices of tenants apart', () => expectIsolated(app, 'invoices'));
 */
export async function expectIsolated(
  app: InjectableApp,
  resource: string | IsolationResource,
): Promise<readonly IsolationResult[]> {
  const document = await send(app, { method: 'GET', path: '/openapi.json' });
  const description = JSON.parse(document.text) as ApiDescription;
  const parties = { victim: await signUp(app), attacker: await signUp(app) };
  const results = await probeResource(description, toResource(resource), parties);
  const broken = results.filter(({ holds }) => !holds);
  if (broken.length > 0) {
    const lines = broken.map(({ title, detail }) => `- ${title}: ${detail}`);
    throw new Error([`${toResource(resource).path} is not isolated:`, ...lines].join('\n'));
  }
  return results;
}
