import { z } from 'zod';

/** A point in time with its zone, as RFC 3339 writes it. */
export const time = z.iso
  .datetime({ offset: true, error: 'Must be an RFC 3339 time, such as 2026-01-31T12:00:00Z.' })
  .transform((it) => new Date(it));

export const auditQuerySchema = z.strictObject({
  entity: z.string().max(100).optional().describe('class, such as Book'),
  entityId: z.string().max(200).optional(),
  action: z.string().max(60).optional().describe('create, update, delete, or a named event'),
  actorId: z.string().max(100).optional(),
  from: time.optional().describe('not before'),
  to: time.optional().describe('not after'),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'Must be a whole number.')
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(20),
  cursor: z.string().max(2_000).optional(),
});
export type AuditQuery = z.output<typeof auditQuerySchema>;
