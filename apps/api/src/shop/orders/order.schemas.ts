import { z } from 'zod';
import { entityIdSchema } from '../../http/entity-id.schema.js';

export const newOrderSchema = z
  .strictObject({
    lines: z
      .array(z.strictObject({ productId: entityIdSchema, quantity: z.int().min(1).max(1_000_000) }))
      .min(1)
      .max(100),
  })
  .meta({ id: 'NewOrder' });
export type NewOrder = z.output<typeof newOrderSchema>;

export const orderQuerySchema = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'Must be a whole number.')
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(20),
  cursor: z.string().max(2_000).optional(),
});
export type OrderQuery = z.output<typeof orderQuerySchema>;

export const newPaymentSchema = z
  .discriminatedUnion('method', [
    z.strictObject({ method: z.literal('wallet'), walletId: entityIdSchema }),
    z.strictObject({
      method: z.literal('card'),
      token: z
        .string()
        .regex(/^[\w.-]{8,200}$/, "Must be the payment provider's token.")
        // A card number would be stored for ever, by us who must not have it.
        .refine((token) => !/^\d+$/.test(token), 'Must be a token, not a card number.'),
      lastFour: z.string().regex(/^\d{4}$/, 'Must be the last four digits of the card.'),
    }),
  ])
  .meta({ id: 'NewPayment' });
export type NewPayment = z.output<typeof newPaymentSchema>;
