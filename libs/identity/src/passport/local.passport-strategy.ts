import { Injectable } from '@nestjs/common';
import { Strategy } from 'passport-local';
import { AccountStore } from '../account-store.js';
import type { User } from '../entities/user.entity.js';
import { InvalidCredentialsError } from '../errors/invalid-credentials.error.js';

/** Passport strategy for log-in: `email` and `password` of the body, answered by a `User`. */
@Injectable()
export class LocalPassportStrategy extends Strategy {
  constructor(accounts: AccountStore) {
    super({ usernameField: 'email', passwordField: 'password', session: false }, (email, password, done) => {
      accounts.findByCredentials(email, password).then(
        (user: User | undefined) => (user ? done(null, user) : done(new InvalidCredentialsError())),
        (error: Error) => done(error),
      );
    });
  }
}
