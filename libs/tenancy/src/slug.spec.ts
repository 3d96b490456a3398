import { describe, expect, it } from '@jest/globals';
import { assertSlug } from './slug.js';

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
  ])('refuses the form of %j', (slug) => {
    expect(() => assertSlug(slug)).toThrow(/3 to 40 characters/);
  });

  it.each(['api', 'www', 'admin'])('refuses the reserved name %s', (slug) => {
    expect(() => assertSlug(slug)).toThrow(/reserved/);
  });
});
