import type { Opt } from '@mikro-orm/core';
import { Entity, PrimaryKey, Property, Unique } from '@mikro-orm/decorators/legacy';
import { newId } from '#libs/persistence';

/** A person with an account. Lives in the central database; belongs to tenants by memberships. */
@Entity({ tableName: 'app_user' })
export class User {
  @PrimaryKey({ type: 'uuid' })
  readonly id: string & Opt = newId();

  /** In small letters, so that one address is one account. */
  @Unique()
  @Property({ type: 'string', length: 254 })
  readonly email: string;

  @Property({ type: 'string', length: 200 })
  name: string;

  /** PHC string (`$argon2id$…`). Lazy and hidden: it is read where a password is checked, and nowhere else. */
  @Property({ type: 'string', length: 255, lazy: true, hidden: true })
  passwordHash: string;

  /** Whether this person runs the platform itself. Operators are ensured by configuration, never by a request. */
  @Property({ type: 'boolean' })
  isOperator: boolean & Opt = false;

  @Property({ type: 'Date', length: 3 })
  readonly createdAt: Date & Opt = new Date();

  constructor(email: string, name: string, passwordHash: string) {
    this.email = email.trim().toLowerCase();
    this.name = name;
    this.passwordHash = passwordHash;
  }
}
