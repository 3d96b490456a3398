import { randomBytes } from 'node:crypto';
import { type IsolationTransport, jsonOf } from '#libs/isolation';
import { type CanaryTenant, type OperatorLogin, type RemoteInstance, VerificationError } from './remote-instance.js';

/** Where both tenants of a check live. */
export interface CanaryPlace {
  readonly strategy: string;
  readonly shard: string;
}

/** Makes tenants for a check, and archives them when it is over. */
export class CanaryTenants {
  readonly #made: string[] = [];

  constructor(
    private readonly instance: RemoteInstance,
    private readonly operator: IsolationTransport,
  ) {}

  /** The shards of the instance. */
  async shards(): Promise<string[]> {
    const answer = await this.operator({ method: 'GET', path: '/v1/platform/shards' });
    if (answer.status !== 200)
      throw new VerificationError(`The shards cannot be listed (${answer.status}): no operator?`);
    return (jsonOf(answer).data as { id: string }[]).map(({ id }) => id);
  }

  /** @throws {VerificationError} */
  async make(placement: CanaryPlace): Promise<CanaryTenant> {
    // Apart from the slug, which others may say: whoever names a tenant finds that name in their own trail.
    const [slug, canary] = ['check', 'canary'].map((it) => `${it}-${randomBytes(6).toString('hex')}`) as [
      string,
      string,
    ];
    const owner: OperatorLogin = { email: `owner@${canary}.example`, password: randomBytes(18).toString('base64url') };
    const body = { slug, name: canary, owner: { ...owner, name: canary }, placement };
    const answer = await this.operator({ method: 'POST', path: '/v1/platform/tenants', body });
    const { tenant } = jsonOf(answer) as { tenant?: { id: string } };
    if (!tenant) throw new VerificationError(`No tenant was made (${answer.status}): ${answer.text.slice(0, 300)}`);
    this.#made.push(slug);
    return { tenantId: tenant.id, slug, canary, owner, send: await this.instance.logIn(owner) };
  }

  /** Suspends or activates one. */
  change(slug: string, status: 'active' | 'suspended') {
    return this.operator({ method: 'PATCH', path: `/v1/platform/tenants/${slug}`, body: { status } });
  }

  /** Nobody is served under their names from now on; an operator may drop them for good. @returns their slugs */
  async archive(): Promise<readonly string[]> {
    for (const slug of this.#made) await this.operator({ method: 'DELETE', path: `/v1/platform/tenants/${slug}` });
    return this.#made;
  }
}
