import { Injectable } from '@nestjs/common';
import { AuditTrail } from '#libs/audit';
import { currentContext, runAs } from '#libs/context';
import {
  AccountStore,
  assertMayGrant,
  type Invitation,
  InvitationNotFoundError,
  InvitationStore,
  type IssuedInvitation,
  LoginThrottle,
  type Principal,
  type User,
} from '#libs/identity';
import { CentralEntityManager } from '#libs/persistence';
import { assertServed, type TenantRecord, TenantStore } from '#libs/tenancy';
import type { Acceptance, InvitationRequest } from './members.schemas.js';
import { type Member, roleOf } from './members.service.js';

/** Somebody who accepted an invitation, and where they belong now. */
export interface Joined extends Member {
  readonly tenant: TenantRecord;
}

/** Asks people into a tenant, and lets them in. Both are on record in the tenant's trail. */
@Injectable()
export class InvitationsService {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly invitations: InvitationStore,
    private readonly accounts: AccountStore,
    private readonly throttle: LoginThrottle,
    private readonly tenants: TenantStore,
    private readonly trail: AuditTrail,
  ) {}

  /**
   * The token goes back to whoever invites, who passes it on: Rowhouse sends no mail by itself.
   * @throws {PermissionDeniedError}
   */
  async invite({ email, role }: InvitationRequest, by: Principal): Promise<IssuedInvitation> {
    assertMayGrant(roleOf(by), role);
    const { id: tenantId } = currentContext().getTenant();
    return this.central.get().transactional(async (transaction) => {
      const issued = await this.invitations.issue({ tenantId, email, role, invitedBy: by.userId }, transaction);
      await transaction.flush();
      await this.trail.record({ action: 'member_invited', ...about(issued.invitation), details: { role } });
      return issued;
    });
  }

  /**
   * @param named  the tenant at whose host, say, it is accepted: an invitation to another one is none there
   * @throws {InvitationNotFoundError} @throws {TenantSuspendedError} @throws {EmailInUseError} @throws {MemberExistsError}
   * @throws {TooManyAttemptsError}
   */
  async accept({ token, password, name }: Acceptance, named?: TenantRecord): Promise<Joined> {
    const invitation = await this.invitations.getOpen(token);
    const { email, tenantId, role } = invitation;
    const tenant = await this.tenants.findById(tenantId);
    if (!tenant || (named && named.id !== tenantId)) throw new InvitationNotFoundError();
    assertServed(tenant);
    const account = { email, password, name: name ?? email.split('@', 1).join() };
    const user = await this.throttle.watch(email, currentContext().ip ?? 'unknown', () =>
      this.accounts.getOrCreate(account),
    );
    const membership = await this.accounts.addMember(user, tenantId, role);
    await this.central.get().transactional(async (transaction) => {
      // First: whoever comes second has made nothing when refused.
      await this.invitations.redeem(invitation.id, transaction);
      await transaction.flush();
      await this.#recordAcceptance(invitation, tenant, user);
    });
    return { user, membership, tenant };
  }

  #recordAcceptance(invitation: Invitation, tenant: TenantRecord, { id, email }: User): Promise<void> {
    const { role, invitedBy } = invitation;
    return runAs({ tenant, actor: { id, type: 'user', email } }, () =>
      this.trail.record({ action: 'invitation_accepted', ...about(invitation), details: { role, invitedBy } }),
    );
  }
}

function about({ id }: Invitation) {
  return { entity: 'Invitation', entityId: id };
}
