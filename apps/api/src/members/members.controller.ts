import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { RequirePermission } from '../http/access.decorators.js';
import { currentPrincipal } from '../http/access.guard.js';
import { EntityIdPipe } from '../http/entity-id.pipe.js';
import { type PageQuery, pageQuerySchema } from '../http/page.schemas.js';
import { toMemberView } from './member.view.js';
import { type MemberRoleChange, memberChangeSchema, type NewMember, newMemberSchema } from './members.schemas.js';
import { MembersService } from './members.service.js';

/** The people of the caller's tenant. */
@RequirePermission('members:read')
@Controller('v1/members')
export class MembersController {
  constructor(private readonly members: MembersService) {}

  @Get()
  async list(@Query({ schema: pageQuerySchema }) query: PageQuery) {
    const { data, nextCursor } = await this.members.list(query);
    return { data: data.map(({ user, membership }) => toMemberView(user, membership)), nextCursor };
  }

  @RequirePermission('members:write')
  @Post()
  async add(@Body({ schema: newMemberSchema }) input: NewMember) {
    const { user, membership } = await this.members.add(input, currentPrincipal());
    return toMemberView(user, membership);
  }

  @RequirePermission('members:write')
  @Patch(':id')
  async change(
    @Param('id', EntityIdPipe) id: string,
    @Body({ schema: memberChangeSchema }) { role }: MemberRoleChange,
  ) {
    const { user, membership } = await this.members.changeRole(id, role, currentPrincipal());
    return toMemberView(user, membership);
  }

  /** Open to everybody, since everybody may leave; taking out others needs `members:write`, which the store checks. */
  @Delete(':id')
  @HttpCode(204)
  async remove(@Param('id', EntityIdPipe) id: string): Promise<void> {
    await this.members.remove(id, currentPrincipal());
  }
}
