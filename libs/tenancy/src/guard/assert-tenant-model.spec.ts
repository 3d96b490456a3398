import { describe, expect, it } from '@jest/globals';
import { Collection, type EntityClass } from '@mikro-orm/core';
import { Entity, ManyToMany, ManyToOne, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { MikroORM } from '@mikro-orm/sqlite';
import { ormOptions, SharedByTenants, TenantOwned } from '#libs/persistence';
import { shopModel } from '#libs/testing';
import { assertTenantModel } from './assert-tenant-model.js';

function findingsOf(...entities: EntityClass[]): string {
  const orm = new MikroORM(ormOptions('sqlite::memory:', { entities }) as never);
  try {
    assertTenantModel(orm.getMetadata());
    return 'none';
  } catch (error) {
    return (error as Error).message;
  }
}

@Entity()
class Owned extends TenantOwned {}

@Entity()
class Nobodys {
  @PrimaryKey({ type: 'uuid' })
  id!: string;
}

@SharedByTenants('the same for everybody')
@Entity()
class Shared {
  @PrimaryKey({ type: 'string' })
  code!: string;
}

@SharedByTenants('a base class declares for all of it')
@Entity()
class SharedToo extends Shared {}

@SharedByTenants('is not')
@Entity()
class SharedPointingIn {
  @PrimaryKey({ type: 'string' })
  code!: string;

  @ManyToOne(() => Owned)
  owned!: Owned;
}

@Entity()
@Unique({ properties: ['tenantId', 'goodUnique'] })
@Unique({ properties: ['first', 'second'] })
class Uniques extends TenantOwned {
  @Property({ type: 'string' })
  goodUnique!: string;
  @Property({ type: 'string' })
  first!: string;
  @Property({ type: 'string' })
  second!: string;
  @Property({ type: 'string', unique: true })
  alone!: string;
}

const bothColumns = {
  joinColumns: ['tenant_id', 'owned_id'],
  referencedColumnNames: ['tenant_id', 'id'],
  ownColumns: ['owned_id'],
};

@Entity()
class Pointing extends TenantOwned {
  @ManyToOne(() => Owned)
  plain!: Owned;
  @ManyToOne(() => Owned, { ...bothColumns, nullable: true })
  nulling?: Owned;
  @ManyToOne(() => Owned, { ...bothColumns, deleteRule: 'restrict' })
  good!: Owned;
  @ManyToOne(() => Shared)
  shared!: Shared;
}

@Entity()
class Linking extends TenantOwned {
  @ManyToMany(() => Owned)
  readonly owned = new Collection<Owned>(this);
}

describe('assertTenantModel', () => {
  it('finds nothing in a model that carries the tenant everywhere', () => {
    expect(findingsOf(...(shopModel as unknown as EntityClass[]))).toBe('none');
    expect(findingsOf(Owned, Shared, SharedToo)).toBe('none');
  });

  it('names an entity without an owner, and both remedies', () => {
    expect(findingsOf(Owned, Nobodys)).toMatch(
      /- Nobodys has no owner\. Extend TenantOwned, or declare it with @SharedByTenants/,
    );
  });

  it('names unique constraints that reach across tenants', () => {
    const findings = findingsOf(Uniques);
    expect(findings).toContain(
      "Uniques has a unique alone across tenants. Write @Unique({ properties: ['tenantId', 'alone'] }).",
    );
    expect(findings).toContain('unique first, second across tenants');
    expect(findings).not.toContain('goodUnique across');
  });

  it('names relations that do not carry the tenant, or would lose it', () => {
    const findings = findingsOf(Pointing, Owned, Shared);
    expect(findings).toMatch(/Pointing\.plain may point to another tenant's row/);
    expect(findings).toMatch(/Pointing\.nulling would null "tenant_id"/);
    expect(findings).not.toMatch(/Pointing\.(good|shared)/);
  });

  it('names pivots with two tenants', () => {
    expect(findingsOf(Linking, Owned)).toMatch(/pivot table "linking_owned" .*joinColumns/);
  });

  it('names shared rows that point into a tenant', () => {
    expect(findingsOf(SharedPointingIn, Owned)).toMatch(/SharedPointingIn\.owned points from a shared row/);
  });
});
