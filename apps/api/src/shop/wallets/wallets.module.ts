import { Module } from '@nestjs/common';
import { TransfersController } from './transfers.controller.js';
import { WalletService } from './wallet.service.js';
import { WalletsController } from './wallets.controller.js';

/** Money: wallets and transfers. */
@Module({ controllers: [WalletsController, TransfersController], providers: [WalletService], exports: [WalletService] })
export class WalletsModule {}
