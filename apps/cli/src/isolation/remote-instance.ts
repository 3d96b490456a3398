import {
  type ApiDescription,
  type IsolationAnswer,
  type IsolationCall,
  type IsolationParty,
  jsonOf,
} from '#libs/isolation';

/** The instance cannot be reached, or the operator cannot do there what the check needs. */
export class VerificationError extends Error {
  readonly code = 'verification_failed';
  override readonly name = 'VerificationError';
}

/** Who may make tenants there. */
export interface OperatorLogin {
  readonly email: string;
  readonly password: string;
}

const PATIENCE_MS = 30_000;

/** A running instance, called as anybody would. */
export class RemoteInstance {
  constructor(private readonly url: string) {}

  async send({ method, path, headers = {}, body }: IsolationCall): Promise<IsolationAnswer> {
    const response = await fetch(new URL(path, this.url), {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      redirect: 'manual',
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch((cause: unknown) => {
      throw new VerificationError(`${this.url} does not answer. Is it running?`, { cause });
    });
    return { status: response.status, headers: Object.fromEntries(response.headers), text: await response.text() };
  }

  /** The instance's own description; `undefined` where it shows none, as in production. */
  async describe(): Promise<ApiDescription | undefined> {
    const { status, text } = await this.send({ method: 'GET', path: '/openapi.json' });
    return status === 200 ? (JSON.parse(text) as ApiDescription) : undefined;
  }

  /** Sends with an access token. @throws {VerificationError} */
  async logIn(login: OperatorLogin, tenant?: string): Promise<(call: IsolationCall) => Promise<IsolationAnswer>> {
    const answer = await this.send({ method: 'POST', path: '/v1/auth/login', body: { ...login, tenant } });
    const { accessToken } = jsonOf(answer);
    if (typeof accessToken !== 'string') throw new VerificationError(`Log-in of ${login.email} got ${answer.status}.`);
    const authorization = `Bearer ${accessToken}`;
    return (call) => this.send({ ...call, headers: { authorization, ...call.headers } });
  }
}

/** A tenant that was made for the check. */
export interface CanaryTenant extends IsolationParty {
  readonly owner: OperatorLogin;
}
