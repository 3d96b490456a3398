import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyRequest } from 'fastify';
import { type Context, currentContext } from '#libs/context';
import { hasPermission, PassportAuthenticator, PermissionDeniedError, type Principal } from '#libs/identity';
import { TenantGate } from '../tenants/tenant-gate.js';
import { ACCESS, type Access } from './access.decorators.js';

const PRINCIPAL = Symbol('principal');

/**
 * The principal of the current request.
 * @throws {TypeError} on a public route, which has none: a mistake of the route, not of the caller
 */
export function currentPrincipal(): Principal {
  const principal = currentContext().findResource<Principal>(PRINCIPAL);
  if (!principal) throw new TypeError('A public route has no principal. Remove @Public() or do not ask for it.');
  return principal;
}

/**
 * Stands before every route: who calls, for which tenant, and may they? Closed unless a route says otherwise, so that a
 * forgotten decorator refuses instead of letting through.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  constructor(
    private readonly reflector: Reflector,
    private readonly passport: PassportAuthenticator,
    private readonly tenants: TenantGate,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
      execution.getHandler(),
      execution.getClass(),
    ]);
    if (access === 'public') return true;
    const request = execution.switchToHttp().getRequest<FastifyRequest>();
    const context = currentContext();
    const principal = await this.passport.authenticateBearer(request);
    context.resource(PRINCIPAL, () => principal);
    this.#bindActor(context, principal, access);
    if (access === 'operator') return this.#admitOperator(principal);
    await this.tenants.enter(context, principal, request.headers['x-tenant'], access === 'account');
    return this.#admit(principal, access);
  }

  #bindActor(context: Context, { userId, email }: Principal, access: Access | undefined): void {
    context.bindActor({ id: userId, type: access === 'operator' ? 'operator' : 'user', email });
  }

  #admitOperator(principal: Principal): true {
    if (!principal.isOperator) throw new PermissionDeniedError('operator');
    return true;
  }

  #admit({ membership }: Principal, access: Access | undefined): true {
    if (typeof access !== 'object') return true;
    if (!membership || !hasPermission(membership.role, access.permission)) {
      throw new PermissionDeniedError(access.permission);
    }
    return true;
  }
}
