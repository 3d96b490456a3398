import { describe, expect, it } from '@jest/globals';
import { type EntityClass, MikroORM } from '@mikro-orm/core';
import { Embedded, Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { Money, ormOptions, TenantOwned } from '#libs/persistence';
import { Book, shopModel } from '#libs/testing';
import { AuditEntry } from '../entities/audit-entry.entity.js';
import { UnknownAuditedPropertyError } from '../errors/unknown-audited-property.error.js';
import { AuditPolicy } from './audit-policy.js';
import { Audited, audited, NotAudited } from './audited.decorator.js';

@Audited<Person>({ secret: ['pin', 'address'], ignore: ['seenAt'] })
@Entity({ discriminatorColumn: 'kind' })
class Person extends TenantOwned {
  @Property({ type: 'string' })
  pin!: string;

  @Property({ type: 'json' })
  address!: object;

  @Property({ type: 'string' })
  name!: string;

  @Property({ type: 'Date', length: 3 })
  seenAt!: Date;

  @Embedded(() => Money, { prefix: 'salary_' })
  salary!: Money;

  @Property({ type: 'string', hidden: true })
  hash!: string;
}

@Audited<Employee>({ secret: ['salary.amount'] })
@Entity({ discriminatorValue: 'employee' })
class Employee extends Person {}

@NotAudited('it is derived')
@Entity()
class Derived extends TenantOwned {
  @Property({ type: 'string' })
  text!: string;
}

@Entity()
class DerivedFurther extends Derived {}

@Audited<Careless>({ secret: ['pim' as never] })
@Entity()
class Careless extends TenantOwned {
  @Property({ type: 'string' })
  pin!: string;
}

@Entity()
class Central {
  @PrimaryKey({ type: 'integer' })
  id!: number;
}

const model = [...shopModel, AuditEntry, Person, Employee, Derived, DerivedFurther, Careless, Central];
const orm = new MikroORM(ormOptions('sqlite::memory:', { entities: model }));
const metaOf = (entity: EntityClass<object>) => orm.getMetadata().get(entity);

describe('AuditPolicy', () => {
  it('audits every tenant-owned class that nobody left out, kinds included', () => {
    expect([Book, Person, Employee].map((entity) => AuditPolicy.isAudited(metaOf(entity)))).toEqual([true, true, true]);
  });

  it('leaves out what is left out by name, with what extends it, and the trail itself', () => {
    const left = [Derived, DerivedFurther, AuditEntry].map((entity) => AuditPolicy.isAudited(metaOf(entity)));
    expect(left).toEqual([false, false, false]);
  });

  it('has nothing to say of what belongs to no tenant', () => {
    expect(AuditPolicy.isAudited(metaOf(Central))).toBe(false);
  });

  it('keeps secrets that are named, hidden or inherited, and whatever lies in them', () => {
    const policy = AuditPolicy.of(metaOf(Employee));
    const secrets = ['pin', 'address', 'address.street', 'hash', 'salary.amount'];
    expect(secrets.map((path) => policy.disclosureOf(path))).toEqual(secrets.map(() => 'secret'));
    expect(['name', 'salary.currency'].map((path) => policy.disclosureOf(path))).toEqual(['value', 'value']);
    expect(policy.disclosureOf('seenAt')).toBe('nothing');
  });

  it('does not take over from a kind what its base class did not say', () => {
    expect(AuditPolicy.of(metaOf(Person)).disclosureOf('salary.amount')).toBe('value');
  });

  it('refuses a name that the class does not store', () => {
    expect(() => AuditPolicy.of(metaOf(Careless))).toThrow(UnknownAuditedPropertyError);
    expect(() => AuditPolicy.of(metaOf(Careless))).toThrow(/"pim".*Careless/);
  });

  it('takes classes that cannot be decorated', () => {
    audited(Central, { secret: ['id'] });
    expect(AuditPolicy.of(metaOf(Central)).disclosureOf('id')).toBe('secret');
  });
});
