import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { RequirePermission } from '../../http/access.decorators.js';
import { EntityIdPipe } from '../../http/entity-id.pipe.js';
import {
  type NewOrder,
  type NewPayment,
  newOrderSchema,
  newPaymentSchema,
  type OrderQuery,
  orderQuerySchema,
} from './order.schemas.js';
import { OrderService } from './order.service.js';
import { toOrderView } from './order.view.js';

/** Orders over HTTP. */
@RequirePermission('orders:read')
@Controller('v1/orders')
export class OrdersController {
  constructor(private readonly orders: OrderService) {}

  @RequirePermission('orders:write')
  @Post()
  async place(@Body({ schema: newOrderSchema }) input: NewOrder, @Res({ passthrough: true }) reply: FastifyReply) {
    const order = await this.orders.place(input);
    reply.header('location', `/v1/orders/${order.id}`);
    return toOrderView(order);
  }

  @Get()
  async list(@Query({ schema: orderQuerySchema }) query: OrderQuery) {
    const { data, nextCursor } = await this.orders.list(query);
    return { data: data.map(toOrderView), nextCursor };
  }

  @Get(':id')
  async get(@Param('id', EntityIdPipe) id: string) {
    return toOrderView(await this.orders.get(id));
  }

  @RequirePermission('orders:write')
  @Post(':id/pay')
  @HttpCode(200)
  async pay(@Param('id', EntityIdPipe) id: string, @Body({ schema: newPaymentSchema }) input: NewPayment) {
    return toOrderView(await this.orders.pay(id, input));
  }
}
