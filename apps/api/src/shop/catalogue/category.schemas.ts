import { z } from 'zod';
import { entityIdSchema } from '../../http/entity-id.schema.js';
import { pageQueryShape } from '../../http/page.schemas.js';
import { line } from './line.schema.js';

const common = { name: line(100), parentId: entityIdSchema.nullable() };

export const newCategorySchema = z
  .strictObject({ ...common, parentId: common.parentId.optional() })
  .meta({ id: 'NewCategory' });
export type NewCategory = z.output<typeof newCategorySchema>;

/** RFC 7396: what is absent stays; `parentId: null` makes it a topmost one. */
export const categoryPatchSchema = z.strictObject(common).partial().meta({ id: 'CategoryPatch' });
export type CategoryPatch = z.output<typeof categoryPatchSchema>;

export const categoryQuerySchema = z.strictObject({
  ...pageQueryShape,
  'filter[parent]': z
    .union([z.literal('none'), entityIdSchema])
    .optional()
    .describe('a category, for those right below it; "none" for the topmost ones'),
});
export type CategoryQuery = z.output<typeof categoryQuerySchema>;
