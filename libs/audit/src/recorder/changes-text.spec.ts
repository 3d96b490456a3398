import { describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import { type Change, ormOptions } from '#libs/persistence';
import { CardPayment, shopModel, Tag } from '#libs/testing';
import { AuditPolicy } from '../policy/audit-policy.js';
import { audited } from '../policy/audited.decorator.js';
import { changesTextOf } from './changes-text.js';

audited(CardPayment, { secret: ['cardToken'], ignore: ['lastFour'] });
const orm = new MikroORM(ormOptions('sqlite::memory:', { entities: shopModel }));

function textOf(entity: typeof Tag | typeof CardPayment, change: Partial<Change>): string | undefined {
  const meta = orm.getMetadata().get<object>(entity);
  return changesTextOf({ kind: 'update', meta, key: {}, ...change }, AuditPolicy.of(meta));
}

describe('the text of changes', () => {
  it('is JSON of old and new values, whatever they are', () => {
    const values = {
      text: 'it\'s "quoted" \u2028 \\ 🦊',
      number: 1.5,
      nothing: null,
      absent: undefined,
      not: Number.NaN,
      big: 12345678901234567890n,
      time: new Date('2026-01-02T03:04:05.678Z'),
      bytes: new Uint8Array([1, 2, 255]),
      list: ['a', { b: [1] }],
      'path.of': true,
    };
    const shown = {
      ...values,
      absent: null,
      not: null,
      big: '12345678901234567890',
      time: '2026-01-02T03:04:05.678Z',
      bytes: 'AQL/',
    };
    const expected = Object.fromEntries(
      Object.entries(shown).map(([name, value]) => [name, { old: null, new: value }]),
    );
    expect(JSON.parse(textOf(Tag, { kind: 'create', new: values }) ?? '')).toEqual(expected);
    const removed = Object.fromEntries(Object.entries(shown).map(([name, value]) => [name, { old: value, new: null }]));
    expect(JSON.parse(textOf(Tag, { kind: 'delete', old: values }) ?? '')).toEqual(removed);
  });

  it('tells of collections, alone or beside values', () => {
    const collections = { 'odd "name"': { added: ['a'], removed: [] } };
    expect(JSON.parse(textOf(Tag, { collections, old: {}, new: {} }) ?? '')).toEqual(collections);
    const both = textOf(Tag, { collections, old: { name: 'a' }, new: { name: 'b' } });
    expect(JSON.parse(both ?? '')).toEqual({ name: { old: 'a', new: 'b' }, ...collections });
  });

  it('withholds secrets and leaves out what is ignored', () => {
    const text = textOf(CardPayment, {
      old: { cardToken: 'x', lastFour: '1' },
      new: { cardToken: 'y', lastFour: '2' },
    });
    expect(text).toBe('{"cardToken":{"secret":true}}');
  });

  it('is none for an update that tells nothing, and empty for a row that does', () => {
    expect(textOf(CardPayment, { old: { lastFour: '1' }, new: { lastFour: '2' } })).toBeUndefined();
    expect(textOf(Tag, { old: {}, new: {} })).toBeUndefined();
    expect(textOf(CardPayment, { kind: 'create', new: { lastFour: '1' } })).toBe('{}');
  });
});
