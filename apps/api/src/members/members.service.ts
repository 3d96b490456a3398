import { Injectable } from '@nestjs/common';
import { AuditTrail } from '#libs/audit';
import { currentContext } from '#libs/context';
import {
  AccountStore,
  assertMayGrant,
  LoginThrottle,
  MemberStore,
  Membership,
  PermissionDeniedError,
  type Principal,
  type Role,
  User,
} from '#libs/identity';
import { CentralEntityManager } from '#libs/persistence';
import { NotFoundError } from '../http/errors/not-found.error.js';
import type { PageQuery } from '../http/page.schemas.js';
import { type Page, Pager } from '../http/pager.js';
import type { NewMember } from './members.schemas.js';

/** A membership and whose it is. */
export interface Member {
  readonly user: User;
  readonly membership: Membership;
}

/** The role of a principal in the tenant it works for. */
export function roleOf({ membership }: Principal): Role {
  if (!membership) throw new PermissionDeniedError('members:write');
  return membership.role;
}

/** The people of the current tenant. Every change is on record in the tenant's trail, or does not happen. */
@Injectable()
export class MembersService {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly accounts: AccountStore,
    private readonly members: MemberStore,
    private readonly throttle: LoginThrottle,
    private readonly trail: AuditTrail,
    private readonly pager: Pager,
  ) {}

  /** Those who came first, first. */
  async list(query: PageQuery): Promise<Page<Member>> {
    const { id: tenantId } = currentContext().getTenant();
    const list = {
      entity: Membership,
      where: { tenantId },
      keys: [
        { path: 'createdAt', direction: 'asc' as const },
        { path: 'userId', direction: 'asc' as const },
      ],
      scope: `members ${tenantId}`,
    };
    const { data, nextCursor } = await this.pager.read(list, query);
    const found = await this.central.get().find(User, { id: data.map((it) => it.userId) });
    const users = new Map(found.map((user) => [user.id, user]));
    return {
      data: data.flatMap((membership) => {
        const user = users.get(membership.userId);
        return user ? { user, membership } : [];
      }),
      nextCursor,
    };
  }

  /**
   * Adds a person: with a new account, or with the one of this e-mail when the password is theirs. To ask somebody in
   * who has an account, invite them.
   *
   * @throws {EmailInUseError} @throws {MemberExistsError} @throws {PermissionDeniedError} @throws {TooManyAttemptsError}
   */
  async add({ role, ...account }: NewMember, by: Principal): Promise<Member> {
    assertMayGrant(roleOf(by), role);
    const context = currentContext();
    const user = await this.throttle.watch(account.email, context.ip ?? 'unknown', () =>
      this.accounts.getOrCreate(account),
    );
    const membership = await this.accounts.addMember(user, context.getTenant().id, role);
    await this.central.get().transactional(async (transaction) => {
      await transaction.flush();
      await this.#record('member_added', user.id, { role });
    });
    return { user, membership };
  }

  /** @throws {MemberNotFoundError} @throws {PermissionDeniedError} @throws {LastOwnerError} */
  async changeRole(userId: string, role: Role, by: Principal): Promise<Member> {
    await this.members.changeRole(this.#change(userId, by), role, (before) =>
      this.#record('member_role_changed', userId, { role, before }),
    );
    return this.#get(userId);
  }

  /** @throws {MemberNotFoundError} @throws {PermissionDeniedError} @throws {LastOwnerError} */
  async remove(userId: string, by: Principal): Promise<void> {
    await this.members.remove(this.#change(userId, by), (role) =>
      this.#record(userId === by.userId ? 'member_left' : 'member_removed', userId, { role }),
    );
  }

  #change(userId: string, by: Principal) {
    return { tenantId: currentContext().getTenant().id, userId, by: by.userId };
  }

  #record(action: string, userId: string, details: Record<string, unknown>): Promise<void> {
    return this.trail.record({ action, entity: 'Membership', entityId: userId, details });
  }

  async #get(userId: string): Promise<Member> {
    const em = this.central.get();
    const tenantId = currentContext().getTenant().id;
    const user = await em.findOne(User, userId);
    const membership = await em.findOne(Membership, { userId, tenantId });
    if (!user || !membership) throw new NotFoundError();
    return { user, membership };
  }
}
