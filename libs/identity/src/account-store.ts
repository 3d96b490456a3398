import { Injectable } from '@nestjs/common';
import { CentralEntityManager } from '#libs/persistence';
import { Membership } from './entities/membership.entity.js';
import { User } from './entities/user.entity.js';
import { EmailInUseError } from './errors/email-in-use.error.js';
import { MemberExistsError } from './errors/member-exists.error.js';
import { PasswordHasher } from './password-hasher.js';
import type { Role } from './permissions.js';

/** A person as sign-up gives it. */
export interface NewAccount {
  readonly email: string;
  readonly name: string;
  readonly password: string;
}

/** Users and their memberships. Methods that write persist into the central unit of work; the caller flushes it. */
@Injectable()
export class AccountStore {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly passwords: PasswordHasher,
  ) {}

  /** The user of this e-mail and password, or `undefined`; takes as long for an unknown e-mail as for a wrong password. */
  async findByCredentials(email: string, password: string): Promise<User | undefined> {
    const user = await this.#findByEmail(email);
    return (await this.passwords.verify(user?.passwordHash, password)) && user ? user : undefined;
  }

  /** Whether somebody has this e-mail. For deciding what to do first; never to be told to a caller. */
  async isKnown(email: string): Promise<boolean> {
    return (await this.#findByEmail(email)) !== undefined;
  }

  /**
   * The user of this e-mail, made when there is none.
   * @throws {EmailInUseError} when there is one and the password is not theirs
   */
  async getOrCreate(account: NewAccount): Promise<User> {
    const existing = await this.#findByEmail(account.email);
    if (!existing) {
      const user = new User(account.email, account.name, await this.passwords.hash(account.password));
      this.central.get().persist(user);
      return user;
    }
    if (!(await this.passwords.verify(existing.passwordHash, account.password))) throw new EmailInUseError();
    return existing;
  }

  /**
   * Makes `user` a member.
   * @throws {MemberExistsError}
   */
  async addMember(user: User, tenantId: string, role: Role): Promise<Membership> {
    if (await this.central.get().count(Membership, { userId: user.id, tenantId })) throw new MemberExistsError();
    const membership = new Membership(user.id, tenantId, role);
    this.central.get().persist(membership);
    return membership;
  }

  /** The membership of a user in one tenant, or `undefined`. Asked of the database each time. */
  async findMembership(userId: string, tenantId: string): Promise<Membership | undefined> {
    return (await this.central.get().fork().findOne(Membership, { userId, tenantId })) ?? undefined;
  }

  /** The memberships of a user, oldest first. */
  async findMemberships(userId: string): Promise<Membership[]> {
    return this.central.get().find(Membership, { userId }, { orderBy: { createdAt: 'asc', tenantId: 'asc' } });
  }

  /** Makes sure that the platform operator of the configuration exists and has the configured password. Flushes. */
  async ensureOperator(account: NewAccount): Promise<void> {
    const em = this.central.get();
    const user =
      (await this.#findByEmail(account.email)) ??
      new User(account.email, account.name, await this.passwords.hash(account.password));
    if (!(await this.passwords.verify(user.passwordHash, account.password))) {
      user.passwordHash = await this.passwords.hash(account.password);
    }
    user.isOperator = true;
    await em.persist(user).flush();
  }

  async #findByEmail(email: string): Promise<User | undefined> {
    const user = await this.central
      .get()
      .findOne(User, { email: email.trim().toLowerCase() }, { populate: ['passwordHash'] });
    return user ?? undefined;
  }
}
