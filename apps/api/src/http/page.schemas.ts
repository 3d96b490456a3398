import { z } from 'zod';

/** Size and place of a page, as every list takes them. */
export const pageQueryShape = {
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'Must be a whole number.')
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(20),
  cursor: z.string().max(2_000).optional().describe('nextCursor of the page before'),
};

/** The query of a list without filters. */
export const pageQuerySchema = z.strictObject(pageQueryShape);
export type PageQuery = z.output<typeof pageQuerySchema>;
