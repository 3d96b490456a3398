import { z } from 'zod';
import { strategyNames } from '#libs/tenancy';
import { signUpSchema } from '../tenants/sign-up.schemas.js';

/** A sign-up by an operator, who may also say where the tenant lives. */
export const platformSignUpSchema = signUpSchema
  .extend({
    placement: z
      .strictObject({
        strategy: z.enum(strategyNames, { error: `Say one of ${strategyNames.join(', ')}.` }),
        shard: z.string().max(60).optional(),
      })
      .optional(),
  })
  .meta({ id: 'PlatformSignUp' });
export type PlatformSignUp = z.output<typeof platformSignUpSchema>;

export const tenantChangeSchema = z
  .strictObject({ status: z.enum(['active', 'suspended']) })
  .meta({ id: 'TenantChange' });
export type TenantChange = z.output<typeof tenantChangeSchema>;

const MAX_NAMED = 100;

export const productSearchSchema = z.strictObject({
  /** Slugs, by comma; default all tenants. */
  tenant: z
    .string()
    .transform((slugs) => [...new Set(slugs.split(','))])
    .pipe(z.array(z.string().min(1)).max(MAX_NAMED, `Name at most ${MAX_NAMED} tenants.`))
    .optional(),
  name: z.string().trim().min(1).max(255).optional(),
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'Must be a whole number.')
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(20),
  sort: z.enum(['-createdAt', 'createdAt', 'name', '-name', 'price', '-price', 'sku', '-sku']).default('name'),
});
export type ProductSearchQuery = z.output<typeof productSearchSchema>;
