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
import { assertServed, type TenantRecord, TenantStore } from '#libs/tenancy';

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
  ) {}

  /**
   * @param slug  the tenant to work for; without one, the only tenant of the user
   * @throws {InvalidCredentialsError} the user is no member of `slug`: the same answer as for a wrong password
   * @throws {NoTenantInContextError} the user has several tenants and named none
   * @throws {TenantSuspendedError}
   */
  async logIn(user: User, slug: string | undefined, origin: SessionOrigin): Promise<LoggedIn> {
    const tenant = await this.#chooseTenant(user, slug);
    if (tenant) assertServed(tenant);
    const tokens = await this.sessions.open(user.id, tenant?.id ?? null, origin);
    return { tokens, tenant };
  }

  /** @throws {InvalidTokenError} @throws {TenantSuspendedError} */
  refresh(refreshToken: string): Promise<IssuedTokens> {
    return this.sessions.refresh(refreshToken, async ({ membership }) => {
      const tenant = membership && (await this.tenants.findById(membership.tenantId));
      if (tenant) assertServed(tenant);
    });
  }

  async #chooseTenant(user: User, slug: string | undefined): Promise<TenantRecord | undefined> {
    const memberships = await this.accounts.findMemberships(user.id);
    if (slug !== undefined) {
      const tenant = await this.tenants.findBySlug(slug);
      if (!tenant || !memberships.some((it) => it.tenantId === tenant.id)) throw new InvalidCredentialsError();
      return tenant;
    }
    const [only, ...others] = memberships;
    if (only && others.length === 0) return this.tenants.findById(only.tenantId);
    if (user.isOperator) return undefined;
    throw only ? new NoTenantInContextError() : new InvalidCredentialsError();
  }
}
