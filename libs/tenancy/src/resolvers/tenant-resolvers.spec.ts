import { describe, expect, it } from '@jest/globals';
import { AmbiguousTenantError } from '../errors/ambiguous-tenant.error.js';
import { CustomDomainTenantResolver } from './custom-domain.tenant-resolver.js';
import { HeaderTenantResolver } from './header.tenant-resolver.js';
import { PathTenantResolver, splitTenantPath } from './path.tenant-resolver.js';
import { SubDomainTenantResolver } from './sub-domain.tenant-resolver.js';
import type { TenantRequest } from './tenant-request.js';
import { type ResolverSubject, tenantResolverCases } from './tenant-resolver.contract.js';
import type { TenantResolver } from './tenant-resolver.js';

const options = { baseDomain: 'rowhouse.example' };
const request = (more: Partial<TenantRequest>): TenantRequest => ({
  headers: {},
  host: undefined,
  path: '/v1/products',
  ...more,
});

const header: ResolverSubject = {
  resolver: new HeaderTenantResolver({}),
  carry: (name) => request({ headers: { 'x-tenant': name } }),
  name: 'acme',
  ignoresCase: false,
};
const subjects: Readonly<Record<string, ResolverSubject>> = {
  'the header': header,
  'the sub-domain': {
    resolver: new SubDomainTenantResolver(options),
    carry: (name) => request({ host: `${name}.rowhouse.example:3000` }),
    name: 'acme',
    ignoresCase: true,
  },
  'the custom domain': {
    resolver: new CustomDomainTenantResolver(options),
    carry: (name) => request({ host: name }),
    name: 'shop.acme.example',
    ignoresCase: true,
  },
  'the path': {
    resolver: new PathTenantResolver(),
    carry: (name) => request({ path: `/t/${name}/v1/products` }),
    name: 'acme',
    ignoresCase: false,
  },
};

describe.each(Object.entries(subjects))('%s', (_, subject) => {
  it.each(tenantResolverCases)('$title', ({ check }) => check(subject));
});

describe('the contract of resolvers', () => {
  const read = ({ headers }: TenantRequest) => headers['x-tenant'] as string | undefined;
  const named = (value: string | undefined) => (value === undefined ? undefined : { by: 'slug' as const, value });
  let last: string | undefined;
  const broken: Readonly<Record<string, TenantResolver['resolve']>> = {
    'one that takes the first of several': (it) => named(read(it)?.split(',')[0]),
    'one that trims': (it) => named(read(it)?.trim()),
    'one that ignores case': (it) => named(read(it)?.toLowerCase()),
    'one that decodes': (it) => named(read(it) && decodeURIComponent(String(read(it)))),
    'one that remembers': (it) => {
      last = read(it) ?? last;
      return named(last);
    },
    'one that names somebody when nobody is named': (it) => named(read(it) ?? 'demo'),
    'one that is silent': () => undefined,
  };

  it.each(Object.entries(broken))('finds %s', (_, resolve) => {
    const subject = { ...header, resolver: { source: 'double', resolve } };
    const failures = tenantResolverCases.filter(({ check }) => {
      try {
        check(subject);
        return false;
      } catch {
        return true;
      }
    });
    expect(failures.length).toBeGreaterThan(0);
  });
});

describe('the sub-domain', () => {
  const resolver = new SubDomainTenantResolver(options);
  const resolve = (host: string) => resolver.resolve(request({ host }))?.value;

  it.each([
    ['acme.rowhouse.example', 'acme'],
    ['acme.rowhouse.example.', 'acme'],
    ['acme.rowhouse.example:', 'acme'],
    ['ACME.Rowhouse.Example:443', 'acme'],
    ['a.b.rowhouse.example', 'a.b'],
    ['rowhouse.example', undefined],
    ['www.rowhouse.example', undefined],
    ['api.rowhouse.example', undefined],
    ['acme.rowhouse.example.evil.example', undefined],
    ['acmerowhouse.example', undefined],
    ['127.0.0.1:3000', undefined],
    ['[::1]:3000', undefined],
    ['', undefined],
  ])('reads %s as %s', (host, expected) => {
    expect(resolve(host)).toBe(expected);
  });

  it.each([
    '.rowhouse.example',
    'acme..rowhouse.example',
    'acme.rowhouse.example..',
    'acme.rowhouse.example:80:80',
    'user@acme.rowhouse.example',
    'acmé.rowhouse.example',
    `${'a'.repeat(250)}.rowhouse.example`,
  ])('refuses %s', (host) => {
    expect(() => resolve(host)).toThrow(AmbiguousTenantError);
  });

  it('names nobody without a base domain', () => {
    expect(new SubDomainTenantResolver({}).resolve(request({ host: 'acme.rowhouse.example' }))).toBeUndefined();
  });
});

describe('the custom domain', () => {
  const resolver = new CustomDomainTenantResolver(options);

  it.each(['acme.rowhouse.example', 'rowhouse.example', 'localhost', 'api:3000', '10.0.0.1'])(
    'leaves %s to others',
    (host) => {
      expect(resolver.resolve(request({ host }))).toBeUndefined();
    },
  );
});

describe('the path', () => {
  it.each([
    ['/t/acme/v1/products?limit=1', { slug: 'acme', rest: '/v1/products?limit=1' }],
    ['/t/acme/', { slug: 'acme', rest: '/' }],
    ['/t/acme/t/globex/v1/products', { slug: 'acme', rest: '/t/globex/v1/products' }],
    ['/t/acme', undefined],
    ['/t//v1', undefined],
    ['/t/%61cme/v1', undefined],
    ['/t/../v1', undefined],
    ['/t/acme/../v1', undefined],
    ['/t/acme/v1/./x', undefined],
    ['/T/acme/v1', undefined],
    ['//t/acme/v1', undefined],
    ['/v1/t/acme/v1', undefined],
    ['/t/acme?x=/v1', undefined],
  ])('takes %s apart', (url, expected) => {
    expect(splitTenantPath(url)).toEqual(expected);
  });
});
