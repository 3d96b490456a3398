import { z } from 'zod';
import { entityIdSchema } from '../../http/entity-id.schema.js';

/** Integer minor units; to move nothing, or less, makes no sense. */
const amount = z.int().min(1);

export const newWalletSchema = z
  .strictObject({ currency: z.string().regex(/^[A-Z]{3}$/, 'Must be an ISO 4217 code in capital letters.') })
  .meta({ id: 'NewWallet' });
export type NewWallet = z.output<typeof newWalletSchema>;

export const depositSchema = z.strictObject({ amount }).meta({ id: 'Deposit' });
export type Deposit = z.output<typeof depositSchema>;

export const newTransferSchema = z
  .strictObject({ from: entityIdSchema, to: entityIdSchema, amount })
  .refine(({ from, to }) => from !== to, { path: ['to'], error: 'Must be another wallet than "from".' })
  .meta({ id: 'NewTransfer' });
export type NewTransfer = z.output<typeof newTransferSchema>;
