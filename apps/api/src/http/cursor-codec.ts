import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeysetPosition } from '#libs/persistence';
import { InvalidInputError } from './errors/invalid-input.error.js';

const MAC_BYTES = 16;

/** Dates keep their type through JSON by this tag. */
type Encoded = string | number | { readonly date: number };

/**
 * Makes opaque, signed cursors of page positions. A cursor is good for one scope only (tenant, list, order, filters):
 * elsewhere it would skip or repeat rows, or compare values nobody gave us.
 */
export class CursorCodec {
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = createHmac('sha256', secret).update('rowhouse cursor').digest();
  }

  encode(scope: string, position: KeysetPosition): string {
    const values = position.map((it): Encoded => (it instanceof Date ? { date: it.getTime() } : it));
    const payload = Buffer.from(JSON.stringify(values));
    return Buffer.concat([this.#mac(scope, payload), payload]).toString('base64url');
  }

  /** @throws {InvalidInputError} for anything that `encode` did not make for this scope */
  decode(scope: string, cursor: string): KeysetPosition {
    const bytes = Buffer.from(cursor, 'base64url');
    const payload = bytes.subarray(MAC_BYTES);
    if (bytes.length <= MAC_BYTES || !timingSafeEqual(this.#mac(scope, payload), bytes.subarray(0, MAC_BYTES))) {
      const detail = 'Give the nextCursor of this very list, with the same sort and filters, or none.';
      throw new InvalidInputError([{ parameter: 'cursor', detail }]);
    }
    const values = JSON.parse(payload.toString()) as Encoded[];
    return values.map((it) => (typeof it === 'object' ? new Date(it.date) : it));
  }

  #mac(scope: string, payload: Buffer): Buffer {
    return createHmac('sha256', this.#key).update(`${scope}\n`).update(payload).digest().subarray(0, MAC_BYTES);
  }
}
