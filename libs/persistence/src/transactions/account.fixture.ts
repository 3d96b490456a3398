import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** Something with an amount that concurrent work quarrels about. */
@Entity({ tableName: 'account' })
export class Account {
  @PrimaryKey({ type: 'integer', autoincrement: false })
  readonly id: number;

  @Property({ type: 'bigint', runtimeType: 'number' })
  balance: number;

  constructor(id: number, balance: number) {
    this.id = id;
    this.balance = balance;
  }
}

/** The same with a version, as everything that people edit has. */
@Entity({ tableName: 'versioned_account' })
export class VersionedAccount extends Account {
  @Property({ type: 'integer', version: true })
  readonly version!: number;
}
