import { Body, Controller, Get, Param, Post, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequirePermission } from '../../http/access.decorators.js';
import { EntityIdPipe } from '../../http/entity-id.pipe.js';
import { type Deposit, depositSchema, type NewWallet, newWalletSchema } from './wallet.schemas.js';
import { WalletService } from './wallet.service.js';
import { toWalletView } from './wallet.view.js';

/** Wallets over HTTP. */
@RequirePermission('wallets:read')
@Controller('v1/wallets')
export class WalletsController {
  constructor(private readonly wallets: WalletService) {}

  @RequirePermission('wallets:write')
  @Post()
  async open(@Body({ schema: newWalletSchema }) input: NewWallet, @Res({ passthrough: true }) reply: FastifyReply) {
    const wallet = await this.wallets.open(input.currency);
    reply.header('location', `/v1/wallets/${wallet.id}`);
    return toWalletView(wallet);
  }

  @Get(':id')
  async get(@Param('id', EntityIdPipe) id: string) {
    return toWalletView(await this.wallets.get(id));
  }

  /** Money from outside. Answers with the wallet as it is now. */
  @RequirePermission('wallets:write')
  @Post(':id/deposits')
  async deposit(@Param('id', EntityIdPipe) id: string, @Body({ schema: depositSchema }) { amount }: Deposit) {
    return toWalletView(await this.wallets.deposit(id, amount));
  }
}
