import { Module } from '@nestjs/common';
import { WalletsModule } from '../wallets/wallets.module.js';
import { OrderService } from './order.service.js';
import { OrdersController } from './orders.controller.js';

/** Orders and their payments. */
@Module({ imports: [WalletsModule], controllers: [OrdersController], providers: [OrderService] })
export class OrdersModule {}
