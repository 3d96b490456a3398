import { z } from 'zod';
import { signUpSchema } from '../tenants/sign-up.schemas.js';

export const platformSignUpSchema = signUpSchema
  .extend({
    placement: z
      .strictObject({
        strategy: z.enum(['row'], { error: 'Only "row" is available in this version.' }),
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
