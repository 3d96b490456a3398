import { z } from 'zod';
import { entityIdSchema } from '../../http/entity-id.schema.js';
import { line } from './line.schema.js';
import { tagNameSchema } from './tag.schemas.js';

/** An amount of money in minor units; at most what a double holds exactly. */
export const moneySchema = z
  .strictObject({
    amount: z.int().min(0),
    currency: z.string().regex(/^[A-Z]{3}$/, 'Must be an ISO 4217 code in capital letters.'),
  })
  .meta({ id: 'Money' });

const common = {
  sku: line(100),
  name: line(255),
  price: moneySchema,
  stock: z.int().min(0).max(2_147_483_647),
  tags: z.array(tagNameSchema).max(50),
  categoryId: entityIdSchema.nullable(),
};

/** What only one type of product has. */
const own = {
  isbn: z.string().regex(/^[0-9Xx-]{1,17}$/, 'Must be an ISBN: digits, hyphens, X.'),
  warrantyMonths: z.int().min(0).max(1_200),
  downloadSizeKb: z.int().min(0).nullable(),
};

const optionalCommon = {
  ...common,
  stock: common.stock.optional(),
  tags: common.tags.optional(),
  categoryId: common.categoryId.optional(),
};

export const newProductSchema = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('book'), ...optionalCommon, isbn: own.isbn }),
    z.strictObject({ type: z.literal('electronic'), ...optionalCommon, warrantyMonths: own.warrantyMonths }),
    z.strictObject({ type: z.literal('digital'), ...optionalCommon, downloadSizeKb: own.downloadSizeKb.optional() }),
  ])
  .meta({ id: 'NewProduct' });
export type NewProduct = z.output<typeof newProductSchema>;

/** RFC 7396: what is absent stays; `null` removes, where a product can be without. */
export const productPatchSchema = z
  .strictObject({ ...common, ...own })
  .partial()
  .meta({ id: 'ProductPatch' });
export type ProductPatch = z.output<typeof productPatchSchema>;

const wholeNumber = z.string().regex(/^\d{1,15}$/, 'Must be a whole number.');

export const productQuerySchema = z.strictObject({
  limit: wholeNumber.transform(Number).pipe(z.int().min(1).max(100)).default(20),
  cursor: z.string().max(2_000).optional(),
  sort: z.enum(['-createdAt', 'createdAt', 'name', '-name', 'price', '-price', 'sku', '-sku']).default('-createdAt'),
  'filter[type]': z.enum(['book', 'electronic', 'digital']).optional(),
  'filter[sku]': z.string().max(100).optional(),
  'filter[name][contains]': z.string().min(1).max(255).optional(),
  'filter[price][gte]': wholeNumber.transform(Number).optional(),
  'filter[price][lte]': wholeNumber.transform(Number).optional(),
  'filter[tag]': z.string().min(1).max(50).optional(),
  'filter[category]': entityIdSchema.optional().describe('a category, with all below it'),
});
export type ProductQuery = z.output<typeof productQuerySchema>;
