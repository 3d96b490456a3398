import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { FanOutUnsupportedError } from '../errors/fan-out-unsupported.error.js';
import { InvalidShardCursorError } from '../errors/invalid-shard-cursor.error.js';
import type { ValueKind } from '../merge/compare-values.js';
import { assertFinite, type KeysetPosition } from '../merge/keyset.js';
import type { SortKey } from '../merge/sort-key.js';
import type { ShardId } from '../registry/shard-definition.js';

/** How far each shard has been read; a shard that is missing has not been begun. */
export type ShardPositions = ReadonlyMap<ShardId, KeysetPosition>;

/** What a cursor belongs to. */
export interface CursorScope {
  /** Of entity, condition and order. */
  readonly query: string;
  readonly shards: readonly ShardId[];
  readonly keys: readonly SortKey[];
}

interface Content {
  readonly q: string;
  readonly s: readonly ShardId[];
  /** By shard, in the order of `s`. */
  readonly p: readonly (readonly unknown[] | null)[];
}

/** Longer ones are not given out either. */
const MAX_LENGTH = 16_384;

/**
 * Writes positions down as text that a client can keep and not change: signed, and of one query. What stands in it can be
 * read by its holder, who has seen the rows it was taken from.
 */
export class ShardCursors {
  readonly #key: string | Uint8Array;

  /** @param key  of all processes that take each other's cursors; without one, cursors die with this process */
  constructor(key: string | Uint8Array = randomBytes(32)) {
    this.#key = key;
  }

  /** @throws {FanOutUnsupportedError} when it would be longer than one that is taken back, or hold an infinite value */
  encode({ query, shards, keys }: CursorScope, positions: ShardPositions): string {
    const p = shards.map((id) => positions.get(id)?.map((value, index) => toJson(keys[index]?.kind, value)) ?? null);
    const content: Content = { q: query, s: shards, p };
    const text = Buffer.from(JSON.stringify(content)).toString('base64url');
    const cursor = `${text}.${this.#sign(text)}`;
    if (cursor.length <= MAX_LENGTH) return cursor;
    const problem = `The page has no cursor: with the sort keys of its last rows it would have ${cursor.length} characters`;
    throw new FanOutUnsupportedError(`${problem}, of ${MAX_LENGTH} at most. Order by shorter texts.`);
  }

  /** @throws {InvalidShardCursorError} */
  decode({ query, shards, keys }: CursorScope, cursor: unknown): ShardPositions {
    const { q, s, p } = this.#verified(cursor);
    if (q !== query) throw new InvalidShardCursorError('belongs to another condition or order');
    if (s.length !== shards.length || s.some((id, index) => id !== shards[index])) {
      throw new InvalidShardCursorError('belongs to other shards');
    }
    return new Map(
      shards.flatMap((id, at) => {
        const values = p[at];
        return values ? [[id, values.map((value, index) => fromJson(keys[index]?.kind, value))] as const] : [];
      }),
    );
  }

  #verified(cursor: unknown): Content {
    const [text = '', signature = '', ...rest] =
      typeof cursor === 'string' && cursor.length <= MAX_LENGTH ? cursor.split('.') : [];
    const [given, own] = [Buffer.from(signature), Buffer.from(this.#sign(text))];
    // Compared before anything in it is looked at.
    const isOurs = rest.length === 0 && given.length === own.length && timingSafeEqual(given, own);
    if (!isOurs) throw new InvalidShardCursorError('is not one that was given out here');
    return JSON.parse(Buffer.from(text, 'base64url').toString()) as Content;
  }

  #sign(text: string): string {
    return createHmac('sha256', this.#key).update(`rowhouse shard cursor 1\n${text}`).digest('base64url');
  }
}

function toJson(kind: ValueKind | undefined, value: unknown): unknown {
  if (value === null) return null;
  if (kind === 'bigint') return String(value);
  assertFinite(value);
  return kind === 'date' ? Number(value) : value;
}

function fromJson(kind: ValueKind | undefined, value: unknown): unknown {
  if (value === null) return null;
  if (kind === 'bigint') return BigInt(value as string);
  return kind === 'date' ? new Date(value as number) : value;
}
