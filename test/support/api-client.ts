import type { NestFastifyApplication } from '@nestjs/platform-fastify';

/** What a request got. */
export interface Answer<Body = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>;
  readonly body: Body;
  readonly text: string;
}

/** One request; `body` that is an object is sent as JSON. */
export interface Call {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
}

/** Calls an application as one person (or as nobody), through Fastify's own request injection: no socket, the whole stack. */
export class ApiClient {
  constructor(
    private readonly app: NestFastifyApplication,
    private readonly headers: Record<string, string> = {},
  ) {}

  // biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely, and what is missing fails the test
  async call<Body = any>(url: string, { method, headers, body }: Call = {}): Promise<Answer<Body>> {
    const payload =
      body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
    const json = body !== undefined && typeof payload === 'string' ? { 'content-type': 'application/json' } : {};
    const response = await this.app.inject({
      url,
      method: method ?? (body === undefined ? 'GET' : 'POST'),
      headers: { ...json, ...this.headers, ...headers },
      payload,
    });
    const text = response.payload;
    const isJson = /\bjson/.test(String(response.headers['content-type']));
    return {
      status: response.statusCode,
      headers: response.headers,
      body: isJson && text ? JSON.parse(text) : undefined,
      text,
    };
  }
}

/** A tenant made by sign-up, and its owner's client. */
export interface SignedUpTenant {
  readonly id: string;
  readonly slug: string;
  readonly email: string;
  readonly password: string;
  readonly token: string;
  readonly owner: ApiClient;
}

/** Signs a tenant up over HTTP and logs its owner in. */
export async function signUp(app: NestFastifyApplication, slug: string): Promise<SignedUpTenant> {
  const anonymous = new ApiClient(app);
  const email = `owner@${slug}.example`;
  const password = `password of ${slug}`;
  const { body, status } = await anonymous.call('/v1/tenants', {
    body: { slug, name: slug.toUpperCase(), owner: { email, password, name: 'Olga Owner' } },
  });
  if (status !== 201) throw new Error(`Sign-up of ${slug} answered ${status}: ${JSON.stringify(body)}`);
  const token = await logIn(app, email, password);
  return { id: body.tenant.id, slug, email, password, token, owner: withToken(app, token) };
}

/** The access token of a person. */
export async function logIn(app: NestFastifyApplication, email: string, password: string): Promise<string> {
  const { body, status } = await new ApiClient(app).call('/v1/auth/login', { body: { email, password } });
  if (status !== 200) throw new Error(`Log-in of ${email} answered ${status}: ${JSON.stringify(body)}`);
  return body.accessToken;
}

/** A client that sends `token`. */
export function withToken(app: NestFastifyApplication, token: string): ApiClient {
  return new ApiClient(app, { authorization: `Bearer ${token}` });
}
