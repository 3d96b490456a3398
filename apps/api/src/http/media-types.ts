import type { FastifyInstance } from 'fastify';

/**
 * Says which bodies are taken: JSON, JSON merge patches, and streams of JSON lines, which are handed on unread. Everything
 * else is refused with 415 before it is read; plain text too, which Fastify would take by default.
 */
export function installMediaTypes(fastify: FastifyInstance): void {
  fastify.removeContentTypeParser('text/plain');
  const parseJson = fastify.getDefaultJsonParser('error', 'error');
  fastify.addContentTypeParser('application/merge-patch+json', { parseAs: 'string' }, parseJson);
  fastify.addContentTypeParser('application/x-ndjson', (_request, payload, done) => done(null, payload));
}
