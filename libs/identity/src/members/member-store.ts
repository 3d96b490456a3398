import { LockMode } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import { CentralEntityManager } from '#libs/persistence';
import { Membership } from '../entities/membership.entity.js';
import { Session } from '../entities/session.entity.js';
import { LastOwnerError } from '../errors/last-owner.error.js';
import { MemberNotFoundError } from '../errors/member-not-found.error.js';
import { PermissionDeniedError } from '../errors/permission-denied.error.js';
import { hasPermission, type Role } from '../permissions.js';
import { SessionStore } from '../sessions/session-store.js';

/** Which member of which tenant is meant, and who asks. */
export interface MemberChange {
  readonly tenantId: string;
  readonly userId: string;
  /** User id of whoever asks; a member of the same tenant. */
  readonly by: string;
}

/** Runs in the transaction of the change, after it and before the commit: what it throws takes the change back. */
export type OnRecord = (before: Role) => Promise<void>;

/** The members concerned by a change, as the database has them now and keeps them until it commits. */
interface Concerned {
  readonly member: Membership;
  readonly asking: Role;
  readonly owners: number;
}

/**
 * Whoever may change members may give and take any role but owner; that one belongs to the owners.
 * @throws {PermissionDeniedError}
 */
export function assertMayGrant(by: Role, ...roles: Role[]): void {
  if (!hasPermission(by, 'members:write')) throw new PermissionDeniedError('members:write');
  if (by !== 'owner' && roles.includes('owner')) throw new PermissionDeniedError('owner');
}

/**
 * Changes who belongs to a tenant. Rules are checked against locked rows, not against what a session remembers: of two
 * owners who demote each other at once, one stays. Each change acts on the member's next request.
 */
@Injectable()
export class MemberStore {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly sessions: SessionStore,
  ) {}

  /** @throws {MemberNotFoundError} @throws {PermissionDeniedError} @throws {LastOwnerError} */
  async changeRole(change: MemberChange, role: Role, onRecord: OnRecord): Promise<void> {
    await this.#change(change, async (em, { member, asking, owners }) => {
      const before = member.role;
      assertMayGrant(asking, before, role);
      if (before === 'owner' && role !== 'owner' && owners === 1) throw new LastOwnerError();
      if (before === role) return;
      member.role = role;
      await em.flush();
      await onRecord(before);
    });
  }

  /**
   * Takes a member out, or lets one leave. Their sessions for this tenant end with it: a membership that is given back
   * later does not bring them back.
   *
   * @throws {MemberNotFoundError} @throws {PermissionDeniedError} @throws {LastOwnerError}
   */
  async remove(change: MemberChange, onRecord: OnRecord): Promise<void> {
    const { tenantId, userId, by } = change;
    await this.#change(change, async (em, { member, asking, owners }) => {
      if (userId !== by) assertMayGrant(asking, member.role);
      if (member.role === 'owner' && owners === 1) throw new LastOwnerError();
      await em.remove(member).flush();
      await em.nativeUpdate(Session, { userId, tenantId, revokedAt: null }, { revokedAt: new Date() });
      await onRecord(member.role);
    });
  }

  async #change(
    change: MemberChange,
    work: (em: SqlEntityManager, concerned: Concerned) => Promise<void>,
  ): Promise<void> {
    const em = this.central.get().fork();
    const changed = { userId: change.userId };
    await em.transactional(async (transaction) => {
      await work(transaction, await lockConcerned(transaction, change));
      await this.sessions.announce(transaction, changed);
    });
    this.sessions.forget(changed);
  }
}

/** Always in the same order, so that two changes wait for each other instead of for ever. */
async function lockConcerned(em: SqlEntityManager, { tenantId, userId, by }: MemberChange): Promise<Concerned> {
  const rows = await em.find(
    Membership,
    { tenantId, $or: [{ role: 'owner' }, { userId: [userId, by] }] },
    { orderBy: { userId: 'asc' }, lockMode: LockMode.PESSIMISTIC_WRITE },
  );
  const asking = rows.find((it) => it.userId === by);
  // Taken out a moment ago, in another process: the session is good for nothing any more.
  if (!asking) throw new PermissionDeniedError('members:write');
  const member = rows.find((it) => it.userId === userId);
  if (!member) {
    // To somebody who may not change members, a stranger and a colleague look alike.
    if (!hasPermission(asking.role, 'members:write')) throw new PermissionDeniedError('members:write');
    throw new MemberNotFoundError();
  }
  return { member, asking: asking.role, owners: rows.filter((it) => it.role === 'owner').length };
}
