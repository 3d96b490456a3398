import { Injectable } from '@nestjs/common';
import { Strategy } from 'passport';
import { ApiKeyStore } from '../api-keys/api-key-store.js';
import type { CredentialRequest } from './passport-authenticator.js';

/** Passport strategy for machines: an API key in `X-Api-Key`, answered by an `ApiKeyPrincipal`. */
@Injectable()
export class ApiKeyPassportStrategy extends Strategy {
  override readonly name = 'api-key';

  constructor(private readonly keys: ApiKeyStore) {
    super();
  }

  override authenticate(request: unknown): void {
    // A repeated header is none of ours: Node joins it into one value that no key has.
    const key = String((request as CredentialRequest).headers['x-api-key']);
    this.keys.getPrincipal(key).then(
      (found) => this.success(found),
      (error: Error) => this.error(error),
    );
  }
}
