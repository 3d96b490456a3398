export { AccountStore, type NewAccount } from './account-store.js';
export type { ApiKeyPrincipal } from './api-keys/api-key-principal.js';
export { ApiKeyStore, type IssuedApiKey, type NewApiKey } from './api-keys/api-key-store.js';
export { ApiKey } from './entities/api-key.entity.js';
export { Invitation } from './entities/invitation.entity.js';
export { Membership } from './entities/membership.entity.js';
export { Session } from './entities/session.entity.js';
export { User } from './entities/user.entity.js';
export { AmbiguousCredentialsError } from './errors/ambiguous-credentials.error.js';
export { EmailInUseError } from './errors/email-in-use.error.js';
export { IdentityError } from './errors/identity.error.js';
export { InvalidCredentialsError } from './errors/invalid-credentials.error.js';
export { InvalidTokenError } from './errors/invalid-token.error.js';
export { InvitationNotFoundError } from './errors/invitation-not-found.error.js';
export { LastOwnerError } from './errors/last-owner.error.js';
export { MemberExistsError } from './errors/member-exists.error.js';
export { MemberNotFoundError } from './errors/member-not-found.error.js';
export { PermissionDeniedError } from './errors/permission-denied.error.js';
export { TooManyAttemptsError } from './errors/too-many-attempts.error.js';
export { IdentityModule } from './identity.module.js';
export { IDENTITY_MODULE_OPTIONS, type IdentityModuleOptions, type LimiterOptions } from './identity.options.js';
export {
  InvitationStore,
  type IssuedInvitation,
  type NewInvitation,
} from './invitations/invitation-store.js';
export { LoginThrottle } from './login-throttle.js';
export { assertMayGrant, type MemberChange, MemberStore, type OnRecord } from './members/member-store.js';
export { type Caller, type CredentialRequest, PassportAuthenticator } from './passport/passport-authenticator.js';
export { hasPermission, keyPermissionsOf, type Permission, type Role } from './permissions.js';
export type { Principal } from './sessions/principal.js';
export {
  type ChangedSessions,
  type IssuedTokens,
  type SessionHolder,
  type SessionOrigin,
  SessionStore,
  stillOpen,
} from './sessions/session-store.js';
