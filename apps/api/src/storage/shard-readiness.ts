import { Injectable } from '@nestjs/common';
import { type ShardId, ShardUnavailableError } from '#libs/sharding';

/** Which shards wait to be brought up to date: they were away when that was done. Nobody is served from them until then. */
@Injectable()
export class ShardReadiness {
  readonly #waiting = new Set<ShardId>();

  get waiting(): ShardId[] {
    return [...this.#waiting];
  }

  wait(id: ShardId): void {
    this.#waiting.add(id);
  }

  ready(id: ShardId): void {
    this.#waiting.delete(id);
  }

  /** @throws {ShardUnavailableError} while it waits */
  assertReady(id: ShardId): void {
    if (this.#waiting.has(id)) throw new ShardUnavailableError(id, 'it has not been brought up to date yet');
  }
}
