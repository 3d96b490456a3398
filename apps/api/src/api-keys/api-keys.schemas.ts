import { z } from 'zod';
import { keyPermissionsOf } from '#libs/identity';

export const newApiKeySchema = z
  .strictObject({
    name: z.string().trim().min(1).max(100),
    permissions: z
      .array(z.enum(keyPermissionsOf('owner')))
      .min(1, 'Name at least one permission.')
      .max(50)
      .transform((given) => [...new Set(given)]),
    expiresAt: z.iso
      .datetime({ offset: true, error: 'Must be an RFC 3339 time, such as 2026-01-31T12:00:00Z.' })
      .transform((it) => new Date(it))
      .refine((it) => it.getTime() > Date.now(), 'Must lie in the future.')
      .nullish(),
  })
  .meta({ id: 'NewApiKey' });
export type NewApiKeyRequest = z.output<typeof newApiKeySchema>;
