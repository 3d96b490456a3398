import { Injectable } from '@nestjs/common';
import { CentralEntityManager } from '#libs/persistence';
import { Invitation } from '../entities/invitation.entity.js';
import { InvitationNotFoundError } from '../errors/invitation-not-found.error.js';
import { isSameHash, issueToken, readToken } from '../opaque-token.js';
import type { Role } from '../permissions.js';

const PREFIX = 'rhi';
const LIFE_MS = 7 * 86_400_000;

/** Whom to invite, as what. */
export interface NewInvitation {
  readonly tenantId: string;
  readonly email: string;
  readonly role: Role;
  /** User id. */
  readonly invitedBy: string;
}

/** An invitation and the token that accepts it, which nobody can be shown again. */
export interface IssuedInvitation {
  readonly invitation: Invitation;
  readonly token: string;
}

/** Not accepted and not run out. */
const open = () => ({ acceptedAt: null, expiresAt: { $gt: new Date() } });

/** Invitations to tenants. Methods that write work on the transaction they are given. */
@Injectable()
export class InvitationStore {
  constructor(private readonly central: CentralEntityManager) {}

  /** Makes an invitation, in place of an earlier one to the same e-mail. The caller flushes. */
  async issue(of: NewInvitation, em = this.central.get()): Promise<IssuedInvitation> {
    const { id, token, hash } = issueToken(PREFIX);
    const invitation = new Invitation({ ...of, id, tokenHash: hash, expiresAt: new Date(Date.now() + LIFE_MS) });
    const { tenantId, email } = invitation;
    await em.nativeDelete(Invitation, { tenantId, email, acceptedAt: null });
    em.persist(invitation);
    return { invitation, token };
  }

  /**
   * The open invitation of a token.
   * @throws {InvitationNotFoundError} whatever is wrong with it
   */
  async getOpen(token: string): Promise<Invitation> {
    const presented = readToken(PREFIX, token);
    const invitation = presented && (await this.central.get().findOne(Invitation, { id: presented.id, ...open() }));
    if (!invitation || !isSameHash(invitation.tokenHash, presented.hash)) throw new InvitationNotFoundError();
    return invitation;
  }

  /**
   * Uses an invitation up: of two who try at once, one passes.
   * @throws {InvitationNotFoundError}
   */
  async redeem(id: string, em = this.central.get()): Promise<void> {
    const redeemed = await em.nativeUpdate(Invitation, { id, ...open() }, { acceptedAt: new Date() });
    if (redeemed === 0) throw new InvitationNotFoundError();
  }
}
