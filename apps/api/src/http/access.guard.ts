import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Actor, currentContext } from '#libs/context';
import {
  type Caller,
  hasPermission,
  InvalidTokenError,
  PassportAuthenticator,
  type Permission,
  PermissionDeniedError,
  type Principal,
} from '#libs/identity';
import { RateLimits } from '../limits/rate-limits.js';
import { TenantGate } from '../tenants/tenant-gate.js';
import { ACCESS, type Access } from './access.decorators.js';
import { toTenantRequest } from './tenant-request.js';

const CALLER = Symbol('caller');

/**
 * Whom the current request speaks for.
 * @throws {TypeError} on a public route, which has none: a mistake of the route, not of the caller
 */
export function currentCaller(): Caller {
  const caller = currentContext().findResource<Caller>(CALLER);
  if (!caller) throw new TypeError('A public route has no caller. Remove @Public() or do not ask for it.');
  return caller;
}

/**
 * The person the current request speaks for.
 * @throws {PermissionDeniedError} for an API key
 */
export function currentPrincipal(): Principal {
  const caller = currentCaller();
  if (caller.kind !== 'user') throw new PermissionDeniedError('person');
  return caller;
}

/**
 * Asks for one permission more than the route does, where that depends on what was asked for.
 * @throws {PermissionDeniedError}
 */
export function assertPermitted(permission: Permission): void {
  admitPermitted(currentCaller(), permission);
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
    private readonly limits: RateLimits,
  ) {}

  async canActivate(execution: ExecutionContext): Promise<boolean> {
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, [
      execution.getHandler(),
      execution.getClass(),
    ]);
    const http = execution.switchToHttp();
    const [request, reply] = [http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>()];
    if (access === 'public') return this.#admitAnybody(request, reply);
    const context = currentContext();
    const caller = await this.#authenticate(request, reply);
    context.bindActor(actorOf(caller, access));
    if (access === 'operator') {
      context.resource(CALLER, () => caller);
      await this.limits.count(reply, { actor: callerId(caller) });
      return admitOperator(caller);
    }
    const tenantId = caller.kind === 'user' ? caller.membership?.tenantId : caller.tenantId;
    const optional = access === 'account' || access === 'credentials';
    await this.limits.count(reply, { actor: callerId(caller), ...(tenantId !== undefined && { tenant: tenantId }) });
    const admitted = await this.tenants.enter(context, caller, toTenantRequest(request), optional);
    context.resource(CALLER, () => admitted);
    return admit(admitted, access);
  }

  /** What changes something or hashes a password; health checks and pages are not counted. */
  async #admitAnybody({ method, ip }: FastifyRequest, reply: FastifyReply): Promise<true> {
    if (method === 'POST') await this.limits.count(reply, { address: ip });
    return true;
  }

  /** Guesses are counted, since each may cost a look into the database; good credentials from the same address are not. */
  async #authenticate(request: FastifyRequest, reply: FastifyReply): Promise<Caller> {
    try {
      return await this.passport.authenticate(request);
    } catch (error) {
      if (error instanceof InvalidTokenError) await this.limits.count(reply, { address: request.ip });
      throw error;
    }
  }
}

function callerId(caller: Caller): string {
  return caller.kind === 'user' ? caller.userId : caller.apiKeyId;
}

function actorOf(caller: Caller, access: Access | undefined): Actor {
  if (caller.kind === 'api_key') return { id: caller.apiKeyId, type: 'api_key' };
  return { id: caller.userId, type: access === 'operator' ? 'operator' : 'user', email: caller.email };
}

function admitOperator(caller: Caller): true {
  if (caller.kind !== 'user' || !caller.isOperator) throw new PermissionDeniedError('operator');
  return true;
}

function admit(caller: Caller, access: Access | undefined): true {
  if (access === 'credentials') return true;
  if (typeof access === 'object')
    return access.permissions.every((permission) => admitPermitted(caller, permission)) as true;
  // A key may what it was given by name, so where no permission is named it may nothing.
  if (caller.kind !== 'user') throw new PermissionDeniedError('person');
  return true;
}

function admitPermitted(caller: Caller, permission: Permission): true {
  const permitted =
    caller.kind === 'user'
      ? caller.membership && hasPermission(caller.membership.role, permission)
      : caller.permissions.has(permission);
  if (!permitted) throw new PermissionDeniedError(permission);
  return true;
}
