import type { Role } from '../permissions.js';

/** Whom a valid access token speaks for, as the central database says it now. Frozen: shared by requests. */
export interface Principal {
  readonly kind: 'user';
  readonly userId: string;
  readonly email: string;
  readonly name: string;
  readonly isOperator: boolean;
  readonly sessionId: string;
  /** The one tenant this session speaks for, and the user's role in it; `undefined` for an operator's session. */
  readonly membership: { readonly tenantId: string; readonly role: Role } | undefined;
}
