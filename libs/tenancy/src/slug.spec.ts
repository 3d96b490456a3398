import { describe, expect, it } from '@jest/globals';
import { assertSlug, lookOf } from './slug.js';

describe('slug', () => {
  it.each(['acme', 'a-b', 'a1b', `a${'b'.repeat(39)}`, 'north--south'])('accepts %s', (slug) => {
    expect(() => assertSlug(slug)).not.toThrow();
  });

  it.each([
    '',
    'ab',
    'Acme',
    'acme-',
    '-acme',
    '1acme',
    'a.b',
    'a_b',
    'аcme',
    'acme\n',
    `a${'b'.repeat(40)}`,
    'xn--acme-9za',
    'ab--acme',
  ])('refuses the form of %j', (slug) => {
    expect(() => assertSlug(slug)).toThrow(/3 to 40 characters/);
  });

  it.each([
    ['acme', 'acrne'],
    ['globex', 'g1obex'],
    ['wonder', 'vvonder'],
    ['north-south', 'north--south'],
    ['zoo', 'z0o'],
  ])('tells that %s is easily taken for %s', (one, other) => {
    expect(lookOf(one)).toBe(lookOf(other));
  });

  it('keeps slugs apart that only sound alike', () => {
    const slugs = ['acme', 'acne', 'akme', 'acme-2', 'acme-3', 'globex', 'umbrella'];
    expect(new Set(slugs.map(lookOf)).size).toBe(slugs.length);
  });

  it.each(['api', 'www', 'admin', 'adm1n', 'adrnin', 'vvww', 'l0gin', 'supp0rt'])(
    'refuses the reserved name %s',
    (slug) => {
      expect(() => assertSlug(slug)).toThrow(/reserved/);
    },
  );
});
