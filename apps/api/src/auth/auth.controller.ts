import { Body, Controller, Get, HttpCode, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { currentContext } from '#libs/context';
import { LoginThrottle, PassportAuthenticator, SessionStore, type User } from '#libs/identity';
import { AnyAccount, AnyCredentials, Public } from '../http/access.decorators.js';
import { currentCaller, currentPrincipal } from '../http/access.guard.js';
import { toTenantRequest } from '../http/tenant-request.js';
import { toTenantView } from '../tenants/tenant.view.js';
import { TenantGate } from '../tenants/tenant-gate.js';
import { type Login, loginSchema, type Refresh, refreshSchema } from './auth.schemas.js';
import { AuthService } from './auth.service.js';

/** Sessions of people: log in, refresh, log out, who am I. */
@Controller('v1/auth')
export class AuthController {
  constructor(
    private readonly auth: AuthService,
    private readonly passport: PassportAuthenticator,
    private readonly sessions: SessionStore,
    private readonly throttle: LoginThrottle,
    private readonly gate: TenantGate,
  ) {}

  @Public()
  @Post('login')
  @HttpCode(200)
  async logIn(@Body({ schema: loginSchema }) login: Login, @Req() request: FastifyRequest) {
    const { ip = 'unknown', userAgent } = currentContext();
    const named = await this.gate.findNamed(toTenantRequest(request));
    const { tokens, tenant } = await this.throttle.watch(login.email, ip, async () => {
      const user: User = await this.passport.authenticateLocal(request);
      return this.auth.logIn(user, { slug: login.tenant, named }, { ip, userAgent });
    });
    return { ...tokens, tokenType: 'Bearer', tenant: tenant ? toTenantView(tenant) : null };
  }

  @Public()
  @Post('refresh')
  @HttpCode(200)
  async refresh(@Body({ schema: refreshSchema }) { refreshToken }: Refresh, @Req() request: FastifyRequest) {
    const tokens = await this.auth.refresh(refreshToken, toTenantRequest(request));
    return { ...tokens, tokenType: 'Bearer' };
  }

  @AnyAccount()
  @Post('logout')
  @HttpCode(204)
  async logOut(): Promise<void> {
    await this.sessions.end(currentPrincipal().sessionId);
  }

  @AnyCredentials()
  @Get('me')
  me() {
    const caller = currentCaller();
    const { tenant } = currentContext();
    const of = { tenant: tenant ? { id: tenant.id, slug: tenant.slug } : null };
    if (caller.kind === 'api_key') {
      const { apiKeyId, name, permissions } = caller;
      return { user: null, apiKey: { id: apiKeyId, name, permissions: [...permissions] }, ...of, role: null };
    }
    const { userId, email, name, isOperator, membership } = caller;
    return { user: { id: userId, email, name, isOperator }, ...of, role: membership?.role ?? null };
  }
}
