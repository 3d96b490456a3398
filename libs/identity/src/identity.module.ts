import { Module } from '@nestjs/common';
import { AccountStore } from './account-store.js';
import { ApiKeyStore } from './api-keys/api-key-store.js';
import { ConfigurableModuleClass } from './identity.module-definition.js';
import { InvitationStore } from './invitations/invitation-store.js';
import { LoginThrottle } from './login-throttle.js';
import { MemberStore } from './members/member-store.js';
import { ApiKeyPassportStrategy } from './passport/api-key.passport-strategy.js';
import { BearerPassportStrategy } from './passport/bearer.passport-strategy.js';
import { LocalPassportStrategy } from './passport/local.passport-strategy.js';
import { PassportAuthenticator } from './passport/passport-authenticator.js';
import { PasswordHasher } from './password-hasher.js';
import { SessionStore } from './sessions/session-store.js';
import { TokenSigner } from './sessions/token-signer.js';

/**
 * Knows users, their memberships and sessions, invitations, and API keys. `forRoot(options)` or `forRootAsync({ useFactory, … })`.
 * Needs providers of `CentralEntityManager` and `ChangeNotices` in global modules.
 */
@Module({
  providers: [
    AccountStore,
    ApiKeyPassportStrategy,
    ApiKeyStore,
    BearerPassportStrategy,
    InvitationStore,
    LocalPassportStrategy,
    LoginThrottle,
    MemberStore,
    PassportAuthenticator,
    PasswordHasher,
    SessionStore,
    TokenSigner,
  ],
  exports: [
    AccountStore,
    ApiKeyStore,
    InvitationStore,
    LoginThrottle,
    MemberStore,
    PassportAuthenticator,
    SessionStore,
  ],
})
export class IdentityModule extends ConfigurableModuleClass {}
