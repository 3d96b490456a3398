import { type Argon2Parameters, argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Injectable } from '@nestjs/common';

const derive = promisify(argon2) as (algorithm: 'argon2id', parameters: Argon2Parameters) => Promise<Buffer>;

/** OWASP's first choice for argon2id: 19 MiB, two passes, one lane. About 20 ms of one core. */
const COST = { memory: 19_456, passes: 2, parallelism: 1 } as const;
const PHC = /^\$argon2id\$v=19\$m=(\d+),t=(\d+),p=(\d+)\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

const toBase64 = (bytes: Buffer) => bytes.toString('base64').replaceAll('=', '');

/** Hashes and checks passwords with argon2id. Hashes are PHC strings, so that the cost can be raised later. */
@Injectable()
export class PasswordHasher {
  /** Checked when there is no account, so that an unknown e-mail takes as long as a wrong password. */
  #decoy: Promise<string> | undefined;

  async hash(password: string): Promise<string> {
    const nonce = randomBytes(16);
    const tag = await derive('argon2id', { message: password, nonce, tagLength: 32, ...COST });
    return `$argon2id$v=19$m=${COST.memory},t=${COST.passes},p=${COST.parallelism}$${toBase64(nonce)}$${toBase64(tag)}`;
  }

  /** Whether `password` made `hash`. Without a hash the answer is no, after the same work. */
  async verify(hash: string | undefined, password: string): Promise<boolean> {
    const parts = PHC.exec(hash ?? (await this.#getDecoy()));
    if (!parts) return false;
    const [, memory, passes, parallelism, nonce = '', tag = ''] = parts;
    const expected = Buffer.from(tag, 'base64');
    const actual = await derive('argon2id', {
      message: password,
      nonce: Buffer.from(nonce, 'base64'),
      tagLength: expected.length,
      memory: Number(memory),
      passes: Number(passes),
      parallelism: Number(parallelism),
    });
    return timingSafeEqual(actual, expected) && hash !== undefined;
  }

  #getDecoy(): Promise<string> {
    this.#decoy ??= this.hash(randomBytes(16).toString('hex'));
    return this.#decoy;
  }
}
