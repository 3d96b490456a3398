import { deepStrictEqual, notStrictEqual, ok, strictEqual } from 'node:assert/strict';
import { AmbiguousTenantError } from '../errors/ambiguous-tenant.error.js';
import type { TenantRequest } from './tenant-request.js';
import type { TenantResolver } from './tenant-resolver.js';

/** A resolver, and requests that carry names where it looks for them. */
export interface ResolverSubject {
  readonly resolver: TenantResolver;
  /** A request that names `name` in this resolver's source, exactly so. */
  carry(name: string): TenantRequest;
  /** A name of a tenant, such as the source holds them: a slug or a domain. */
  readonly name: string;
  /** Whether letters in capitals mean the same, as in host names. */
  readonly ignoresCase: boolean;
}

/** One promise that every resolver keeps. Knows no test runner; `check` throws when the promise is broken. */
export interface ResolverCase {
  readonly title: string;
  check(subject: ResolverSubject): void;
}

const NOTHING: TenantRequest = Object.freeze({ headers: Object.freeze({}), host: undefined, path: '/v1/products' });

/** What somebody might send to be taken for the tenant `name` by us, and for somebody else before us, or the reverse. */
function tricksOn(name: string): string[] {
  return [
    `${name},globex`,
    `globex, ${name}`,
    ` ${name}`,
    `${name} `,
    `${name}\t`,
    `${name}\0`,
    `${name}%00`,
    `${name}/..`,
    `../${name}`,
    `${name}@globex`,
    `globex@${name}`,
    `${name}#`,
    `${name}?`,
    `%${name.charCodeAt(0).toString(16)}${name.slice(1)}`,
    name.replace('a', 'а'),
    name.replace('a', 'ａ'),
    `${name}\r\nx-tenant: globex`,
  ];
}

/** What comes of asking: the name, `undefined` for no opinion, or the refusal. */
function ask({ resolver }: ResolverSubject, request: TenantRequest): string | undefined | AmbiguousTenantError {
  try {
    return resolver.resolve(request)?.value;
  } catch (error) {
    if (error instanceof AmbiguousTenantError) return error;
    throw error;
  }
}

/** What every tenant resolver promises. */
export const tenantResolverCases: readonly ResolverCase[] = [
  {
    title: 'has no opinion on a request that names nobody',
    check: (subject) => strictEqual(ask(subject, NOTHING), undefined),
  },
  {
    title: 'gives the name as it came',
    check: (subject) => strictEqual(ask(subject, subject.carry(subject.name)), subject.name),
  },
  {
    title: 'reads, and changes nothing',
    check(subject) {
      const request = subject.carry(subject.name);
      const frozen = Object.freeze({ ...request, headers: Object.freeze({ ...request.headers }) });
      deepStrictEqual(subject.resolver.resolve(frozen), subject.resolver.resolve(frozen));
    },
  },
  {
    title: 'remembers nothing of the request before',
    check(subject) {
      ask(subject, subject.carry(subject.name));
      strictEqual(ask(subject, NOTHING), undefined);
    },
  },
  {
    title: 'takes letters as they are, where letters count',
    check(subject) {
      const found = ask(subject, subject.carry(subject.name.toUpperCase()));
      if (subject.ignoresCase) strictEqual(found, subject.name);
      else notStrictEqual(found, subject.name);
    },
  },
  {
    title: 'takes no trick of spelling for the name',
    check(subject) {
      for (const trick of tricksOn(subject.name)) {
        notStrictEqual(ask(subject, subject.carry(trick)), subject.name, JSON.stringify(trick));
      }
    },
  },
  {
    title: 'refuses two names, or takes them for one that nobody has',
    check(subject) {
      const found = ask(subject, subject.carry(`${subject.name}, globex`));
      ok(found === undefined || found instanceof AmbiguousTenantError || found.includes(','), String(found));
    },
  },
];
