import { type ApiDescription, type IsolationResult, probeResource } from '#libs/isolation';
import { CanaryTenants } from './canary-tenants.js';
import { probeCredentials } from './credential-cases.js';
import { type OperatorLogin, RemoteInstance } from './remote-instance.js';
import { shopResources } from './shop-resources.js';

/** What to check. */
export interface VerificationOptions {
  /** Where the instance answers: `https://api.example.com`. */
  readonly url: string;
  readonly operator: OperatorLogin;
  /** Isolation of the canary tenants. */
  readonly strategy: string;
  /** One shard alone; default: each in turn. Two tenants of one shard share what they can. */
  readonly shard?: string;
  /** Path of one resource, or `credentials`, alone; default: all. */
  readonly resource?: string;
  /** Used where the instance shows no description of itself. */
  readonly describe: () => Promise<ApiDescription>;
  /** Takes lines of progress. */
  readonly say: (line: string) => void;
}

/** One promise, checked on one shard. */
export interface VerifiedPromise extends IsolationResult {
  readonly shard: string;
}

/**
 * Checks from outside that a running instance keeps tenants apart: makes two on each shard, tries as the one to reach what
 * the other has, on every route, and archives both.
 *
 * @throws {VerificationError} when the check cannot be made, which shows nothing
 */
export async function verifyIsolation(options: VerificationOptions): Promise<VerifiedPromise[]> {
  const { url, operator, strategy, shard: only, say } = options;
  const instance = new RemoteInstance(url);
  const tenants = new CanaryTenants(instance, await instance.logIn(operator));
  const description = (await instance.describe()) ?? (await options.describe());
  const results: VerifiedPromise[] = [];
  const isMeant = (resource: string) => options.resource === undefined || options.resource === resource;
  try {
    for (const shard of only === undefined ? await tenants.shards() : [only]) {
      say(`Two canary tenants on ${shard}, strategy ${strategy}.`);
      const parties = {
        victim: await tenants.make({ strategy, shard }),
        attacker: await tenants.make({ strategy, shard }),
      };
      for (const resource of shopResources.filter(({ path }) => isMeant(path))) {
        results.push(...(await probe(resource.path, () => probeResource(description, resource, parties), shard)));
      }
      if (!isMeant('credentials')) continue;
      const world = { instance, description, tenants, ...parties };
      results.push(...(await probe('credentials', () => probeCredentials(world), shard)));
    }
  } finally {
    const made = await tenants.archive();
    say(`Archived: ${made.join(', ')}.`);
  }
  return results;
}

/** A resource that cannot be tried is one that was not shown to be isolated. */
async function probe(
  resource: string,
  work: () => Promise<readonly IsolationResult[]>,
  shard: string,
): Promise<VerifiedPromise[]> {
  try {
    return (await work()).map((result) => ({ shard, ...result }));
  } catch (error) {
    return [{ shard, resource, title: 'can be tried', holds: false, detail: (error as Error).message }];
  }
}
