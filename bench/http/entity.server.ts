// Bare Fastify again, with a managed entity in place of the driver's row, read behind the guard: what the way to the data
// takes, without Nest, log-in, limits and headers.
import type { EntityClass } from '@mikro-orm/core';
import { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import Fastify from 'fastify';
import { tenantEntities } from '#apps/api';
import { runAs } from '#libs/context';
import { engines, ormOptions } from '#libs/persistence';
import { GuardedEntityManager, guardedDriver } from '#libs/tenancy';
import { Product } from '../../apps/api/src/shop/catalogue/product.entity.js';
import { toProductView } from '../../apps/api/src/shop/catalogue/product.view.js';
import { report, tenantOf } from './bare-read.js';

const orm = await MikroORM.init<AbstractSqlDriver>(
  ormOptions(`sqlite:${process.env.FILE}`, {
    entities: [...(tenantEntities as unknown as EntityClass[])],
    entityManager: GuardedEntityManager,
    driver: guardedDriver(engines.sqlite),
  }),
);
const fastify = Fastify();
fastify.get<{ Params: { id: string } }>('/v1/products/:id', async (request, reply) => {
  const id = tenantOf(request.headers.authorization);
  if (!id) return reply.code(401).send();
  const read = () => (orm.em.fork() as SqlEntityManager).findOne(Product, { id: request.params.id } as never);
  const product = await runAs({ tenant: { id, slug: 'bench' }, actor: { id: 'bench', type: 'user' } }, read);
  return product ? toProductView(product as Product) : reply.code(404).send();
});
report(await fastify.listen({ port: 0, host: '127.0.0.1' }));
