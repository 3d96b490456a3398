import { Body, Controller, Post } from '@nestjs/common';
import { RequirePermission } from '../../http/access.decorators.js';
import { type NewTransfer, newTransferSchema } from './wallet.schemas.js';
import { WalletService } from './wallet.service.js';
import { toTransferView } from './wallet.view.js';

/** Money from wallet to wallet over HTTP. */
@RequirePermission('wallets:write')
@Controller('v1/transfers')
export class TransfersController {
  constructor(private readonly wallets: WalletService) {}

  @Post()
  async create(@Body({ schema: newTransferSchema }) input: NewTransfer) {
    return toTransferView(await this.wallets.transfer(input));
  }
}
