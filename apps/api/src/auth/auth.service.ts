import { Injectable } from '@nestjs/common';
import { NoTenantInContextError } from '#libs/context';
import {
  AccountStore,
  InvalidCredentialsError,
  type IssuedTokens,
  type SessionOrigin,
  SessionStore,
  type User,
} from '#libs/identity';
import { AmbiguousTenantError, assertServed, type TenantRecord, type TenantRequest, TenantStore } from '#libs/tenancy';
import { TenantGate } from '../tenants/tenant-gate.js';

/** What a log-in may name its tenant by. */
export interface TenantChoice {
  /** Of the body. */
  readonly slug: string | undefined;
  /** By host, header or path. */
  readonly named: TenantRecord | undefined;
}

/** A log-in: the tokens and the tenant they speak for (`undefined` for an operator's). */
export interface LoggedIn {
  readonly tokens: IssuedTokens;
  readonly tenant: TenantRecord | undefined;
}

/** Opens sessions for people whose password has been checked. */
@Injectable()
export class AuthService {
  constructor(
    private readonly accounts: AccountStore,
    private readonly sessions: SessionStore,
    private readonly tenants: TenantStore,
    private readonly gate: TenantGate,
  ) {}

  /**
   * @param choice  the tenant to work for; without one, the only tenant of the user
   * @throws {InvalidCredentialsError} the user is no member of it: the same answer as for a wrong password
   * @throws {NoTenantInContextError} the user has several tenants and named none
   * @throws {AmbiguousTenantError} the body names one tenant and the host, say, another
   * @throws {TenantSuspendedError}
   */
  async logIn(user: User, choice: TenantChoice, origin: SessionOrigin): Promise<LoggedIn> {
    const tenant = await this.#chooseTenant(user, choice);
    if (tenant) assertServed(tenant);
    const tokens = await this.sessions.open(user.id, tenant?.id ?? null, origin);
    return { tokens, tenant };
  }

  /** @throws {InvalidTokenError} @throws {TenantSuspendedError} @throws {TenantMismatchError} at the host of another tenant */
  refresh(refreshToken: string, request: TenantRequest): Promise<IssuedTokens> {
    return this.sessions.refresh(refreshToken, async ({ membership, userId: id, email }) => {
      const tenant = membership && (await this.tenants.findById(membership.tenantId));
      if (!tenant) return;
      assertServed(tenant);
      await this.gate.assertBelongs(request, tenant, { id, email });
    });
  }

  async #chooseTenant(user: User, { slug, named }: TenantChoice): Promise<TenantRecord | undefined> {
    const memberships = await this.accounts.findMemberships(user.id);
    if (slug !== undefined || named !== undefined) {
      const tenant = slug === undefined ? named : await this.tenants.findBySlug(slug);
      if (!tenant || !memberships.some((it) => it.tenantId === tenant.id)) throw new InvalidCredentialsError();
      if (named && named.id !== tenant.id) throw new AmbiguousTenantError('body, request');
      return tenant;
    }
    const [only, ...others] = memberships;
    if (only && others.length === 0) return this.tenants.findById(only.tenantId);
    if (user.isOperator) return undefined;
    throw only ? new NoTenantInContextError() : new InvalidCredentialsError();
  }
}
