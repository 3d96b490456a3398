import { z } from 'zod';

/** E-mail addresses are compared in small letters. */
export const emailSchema = z.email().max(254);

/** Long enough to be guessed by nobody; the upper bound keeps hashing cheap. */
export const passwordSchema = z.string().min(8).max(200);

export const loginSchema = z
  .strictObject({
    email: z.string().min(1).max(254),
    password: z.string().min(1).max(200),
    tenant: z.string().max(100).optional().describe('slug; needed by people of several tenants'),
  })
  .meta({ id: 'Login' });
export type Login = z.output<typeof loginSchema>;

export const refreshSchema = z.strictObject({ refreshToken: z.string().min(1).max(300) }).meta({ id: 'Refresh' });
export type Refresh = z.output<typeof refreshSchema>;
