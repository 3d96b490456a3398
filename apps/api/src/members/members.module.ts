import { Module } from '@nestjs/common';
import { InvitationsController } from './invitations.controller.js';
import { InvitationsService } from './invitations.service.js';
import { MembersController } from './members.controller.js';
import { MembersService } from './members.service.js';

/** Who belongs to a tenant, over HTTP. */
@Module({
  controllers: [MembersController, InvitationsController],
  providers: [InvitationsService, MembersService],
})
export class MembersModule {}
