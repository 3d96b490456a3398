import { z } from 'zod';
import { emailSchema, passwordSchema } from '../auth/auth.schemas.js';

const personName = z.string().trim().min(1).max(200);

const role = z.enum(['owner', 'admin', 'member', 'viewer']);

export const newMemberSchema = z
  .strictObject({ email: emailSchema, name: personName, password: passwordSchema, role: role.default('member') })
  .meta({ id: 'NewMember' });
export type NewMember = z.output<typeof newMemberSchema>;

export const memberChangeSchema = z.strictObject({ role }).meta({ id: 'MemberChange' });
export type MemberRoleChange = z.output<typeof memberChangeSchema>;

export const newInvitationSchema = z
  .strictObject({ email: emailSchema, role: role.default('member') })
  .meta({ id: 'NewInvitation' });
export type InvitationRequest = z.output<typeof newInvitationSchema>;

export const acceptanceSchema = z
  .strictObject({
    token: z.string().min(1).max(200),
    password: passwordSchema.describe('of the account that is made, or of the one that the e-mail has'),
    name: personName.optional().describe('of a new account; default: the part of the e-mail before the "@"'),
  })
  .meta({ id: 'InvitationAcceptance' });
export type Acceptance = z.output<typeof acceptanceSchema>;
