import { z } from 'zod';

/** Number of a version, as `GET …/versions` lists them. */
const versionText = z
  .string()
  .regex(/^[1-9]\d{0,8}$/, 'Must be the number of a version.')
  .transform(Number);

export const versionsQuerySchema = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'Must be a whole number.')
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(20),
  before: versionText.optional().describe('nextBefore of the page before'),
});
export type VersionsQuery = z.output<typeof versionsQuerySchema>;

export const diffQuerySchema = z.strictObject({ from: versionText, to: versionText });
export type DiffQuery = z.output<typeof diffQuerySchema>;

export const revertSchema = z.strictObject({
  version: z.int().min(1).max(999_999_999),
  dryRun: z.boolean().default(false),
});
export type RevertInput = z.output<typeof revertSchema>;

export const asOfQuerySchema = z.strictObject({
  asOf: z.iso
    .datetime({ offset: true, error: 'Must be an RFC 3339 time, such as 2026-01-31T12:00:00Z.' })
    .transform((it) => new Date(it))
    .optional()
    .describe('the state at this time'),
});
export type AsOfQuery = z.output<typeof asOfQuerySchema>;
