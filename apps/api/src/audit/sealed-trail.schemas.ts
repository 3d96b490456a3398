import { z } from 'zod';

const hash = z.string().max(43);

/** A checkpoint as `GET /v1/audit/checkpoints` gives it. */
const checkpointSchema = z.strictObject({
  tenantId: z.string().max(36),
  size: z.int().min(0),
  root: hash,
  last: hash,
  sealedAt: z.string().max(40),
  opening: z.boolean(),
  keyId: z.string().max(16),
  signature: z.string().max(100),
});

export const verifySchema = z.strictObject({ checkpoint: checkpointSchema });
export type VerifyInput = z.output<typeof verifySchema>;

export const consistencyQuerySchema = z.strictObject({
  from: z
    .string()
    .regex(/^\d{1,15}$/, 'Must be the size of a checkpoint.')
    .transform(Number),
});
export type ConsistencyQuery = z.output<typeof consistencyQuerySchema>;
