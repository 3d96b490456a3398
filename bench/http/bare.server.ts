// The control: what the answer costs at the least.
import Fastify from 'fastify';
import { findProduct, report, tenantOf } from './bare-read.js';

const fastify = Fastify();
fastify.get<{ Params: { id: string } }>('/v1/products/:id', (request, reply) => {
  const tenantId = tenantOf(request.headers.authorization);
  if (!tenantId) return reply.code(401).send();
  return findProduct(tenantId, request.params.id) ?? reply.code(404).send();
});
report(await fastify.listen({ port: 0, host: '127.0.0.1' }));
