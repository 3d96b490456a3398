import { z } from 'zod';
import { emailSchema, passwordSchema } from '../auth/auth.schemas.js';

export const signUpSchema = z
  .strictObject({
    slug: z.string().max(100),
    name: z.string().trim().min(1).max(200),
    owner: z.strictObject({
      email: emailSchema,
      password: passwordSchema,
      name: z.string().trim().min(1).max(200),
    }),
  })
  .meta({ id: 'SignUp' });
export type SignUp = z.output<typeof signUpSchema>;
