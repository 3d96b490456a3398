import { Body, Controller, Post, Req } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Public, RequirePermission } from '../http/access.decorators.js';
import { currentPrincipal } from '../http/access.guard.js';
import { ShownOnce } from '../http/idempotency/shown-once.decorator.js';
import { toTenantRequest } from '../http/tenant-request.js';
import { toTenantView } from '../tenants/tenant.view.js';
import { TenantGate } from '../tenants/tenant-gate.js';
import { InvitationsService } from './invitations.service.js';
import { toMemberView } from './member.view.js';
import { type Acceptance, acceptanceSchema, type InvitationRequest, newInvitationSchema } from './members.schemas.js';

/** The way into a tenant for people who are asked. */
@Controller('v1/invitations')
export class InvitationsController {
  constructor(
    private readonly invitations: InvitationsService,
    private readonly gate: TenantGate,
  ) {}

  @RequirePermission('members:write')
  @ShownOnce('token')
  @Post()
  async invite(@Body({ schema: newInvitationSchema }) input: InvitationRequest) {
    const { invitation, token } = await this.invitations.invite(input, currentPrincipal());
    const { id, email, role, expiresAt } = invitation;
    return { id, email, role, expiresAt: expiresAt.toISOString(), token };
  }

  @Public()
  @Post('accept')
  async accept(@Body({ schema: acceptanceSchema }) acceptance: Acceptance, @Req() request: FastifyRequest) {
    const named = await this.gate.findNamed(toTenantRequest(request));
    const { tenant, user, membership } = await this.invitations.accept(acceptance, named);
    return { tenant: toTenantView(tenant), member: toMemberView(user, membership) };
  }
}
