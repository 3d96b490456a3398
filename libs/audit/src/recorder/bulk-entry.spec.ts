import { describe, expect, it } from '@jest/globals';
import { MikroORM } from '@mikro-orm/core';
import { type Change, ormOptions } from '#libs/persistence';
import { Product, shopModel, Tag } from '#libs/testing';
import { audited } from '../policy/audited.decorator.js';
import { sumUp } from './bulk-entry.js';

audited(Product, { secret: ['name'] });
const orm = new MikroORM(ormOptions('sqlite::memory:', { entities: shopModel }));

describe('the entry of a batch', () => {
  it('withholds what a condition asks of a secret of related rows', () => {
    const where = { name: 'shown', products: { $or: [{ name: 'canary' }, { name: { $in: ['canary'] } }], stock: 3 } };
    const meta = orm.getMetadata().get<object>(Tag);
    const change = { kind: 'delete', meta, key: { id: '1', tenantId: 't' }, bulk: { kind: 'delete', rows: 2, where } };
    const [entry] = sumUp([change as unknown as Change], 1).bulk;
    expect(JSON.parse(entry?.changes ?? '').statement.new.where).toEqual({
      name: 'shown',
      products: { $or: [{ name: { secret: true } }, { name: { secret: true } }], stock: 3 },
    });
  });
});
