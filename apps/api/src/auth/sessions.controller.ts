import { Controller, Delete, Get, HttpCode, Param, Query } from '@nestjs/common';
import { type Principal, Session, type SessionHolder, SessionStore, stillOpen } from '#libs/identity';
import { AnyAccount } from '../http/access.decorators.js';
import { currentPrincipal } from '../http/access.guard.js';
import { EntityIdPipe } from '../http/entity-id.pipe.js';
import { NotFoundError } from '../http/errors/not-found.error.js';
import { type PageQuery, pageQuerySchema } from '../http/page.schemas.js';
import { Pager } from '../http/pager.js';
import { toSessionView } from './session.view.js';

/** A person's sessions are listed for one tenant at a time: in another tenant the same person may be somebody else's staff. */
function holderOf({ userId, membership }: Principal): SessionHolder {
  return { userId, tenantId: membership?.tenantId ?? null };
}

/** Where the caller is signed in, and the way to sign out there. */
@AnyAccount()
@Controller('v1/auth/sessions')
export class SessionsController {
  constructor(
    private readonly pager: Pager,
    private readonly sessions: SessionStore,
  ) {}

  @Get()
  async list(@Query({ schema: pageQuerySchema }) query: PageQuery) {
    const principal = currentPrincipal();
    const holder = holderOf(principal);
    const list = {
      entity: Session,
      where: { ...holder, ...stillOpen() },
      keys: [{ path: 'id', direction: 'desc' as const }],
      scope: `sessions ${holder.userId} ${holder.tenantId}`,
    };
    const { data, nextCursor } = await this.pager.read(list, query);
    return { data: data.map((session) => toSessionView(session, principal.sessionId)), nextCursor };
  }

  @Delete(':id')
  @HttpCode(204)
  async end(@Param('id', EntityIdPipe) id: string): Promise<void> {
    if (!(await this.sessions.endOwn(id, holderOf(currentPrincipal())))) throw new NotFoundError();
  }
}
