export { AccountStore, type NewAccount } from './account-store.js';
export { Membership } from './entities/membership.entity.js';
export { Session } from './entities/session.entity.js';
export { User } from './entities/user.entity.js';
export { EmailInUseError } from './errors/email-in-use.error.js';
export { IdentityError } from './errors/identity.error.js';
export { InvalidCredentialsError } from './errors/invalid-credentials.error.js';
export { InvalidTokenError } from './errors/invalid-token.error.js';
export { PermissionDeniedError } from './errors/permission-denied.error.js';
export { TooManyAttemptsError } from './errors/too-many-attempts.error.js';
export { IdentityModule } from './identity.module.js';
export { IDENTITY_MODULE_OPTIONS, type IdentityModuleOptions } from './identity.options.js';
export { LoginThrottle } from './login-throttle.js';
export { type CredentialRequest, PassportAuthenticator } from './passport/passport-authenticator.js';
export { hasPermission, type Permission, type Role } from './permissions.js';
export type { Principal } from './sessions/principal.js';
export {
  type IssuedTokens,
  type SessionHolder,
  type SessionOrigin,
  SessionStore,
  stillOpen,
} from './sessions/session-store.js';
