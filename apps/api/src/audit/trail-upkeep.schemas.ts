import { z } from 'zod';
import { time } from './audit.schemas.js';

const reason = z.string().trim().min(3).max(500);

export const purgeSchema = z.strictObject({
  before: time.describe('entries from before this time'),
  reason: reason.describe('the rule it follows; stays on record'),
  dryRun: z.boolean().default(false).describe('only count'),
});
export type PurgeInput = z.output<typeof purgeSchema>;

export const holdSchema = z.strictObject({
  reason: reason.describe('a case number, a letter'),
  entity: z.string().max(100).optional().describe('class, such as Book'),
  entityId: z.string().max(200).optional(),
  actorId: z.string().max(100).optional(),
});
export type HoldInput = z.output<typeof holdSchema>;

export const erasureSchema = z.strictObject({
  subjectId: z.string().min(1).max(200).describe('id of the person, or of the row that is about one'),
});
export type ErasureInput = z.output<typeof erasureSchema>;

export const exportQuerySchema = z.strictObject({
  format: z.enum(['ndjson', 'csv'], { error: 'Must be ndjson or csv.' }).default('ndjson'),
  from: time.optional().describe('not before'),
  to: time.optional().describe('before'),
});
export type ExportInput = z.output<typeof exportQuerySchema>;
