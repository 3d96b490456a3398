import type { SqlEntityManager } from '@mikro-orm/sql';

/** That something of the central database has changed which processes keep in memory. */
export interface ChangeNotice {
  /** What kind of thing, as caches subscribe to it: `tenant`, `api-key`. Up to 40 characters. */
  readonly topic: string;
  /** Which one, most often an id. Up to 253 characters; nothing personal. */
  readonly key: string;
}

/** Forgets what is kept of one thing; of everything when `key` is `undefined`. It must not throw. */
export type Forget = (key: string | undefined) => void;

/**
 * The port through which caches of the central database learn that what they keep is not so any more: in this process at
 * once, in others as fast as the app's binding can tell them.
 *
 * Whoever changes something calls `post` in the transaction of the change and `send` once that has committed. Whoever keeps
 * something calls `listen` once, and waits for `whenCurrent` before it answers with what it keeps.
 */
export abstract class ChangeNotices {
  readonly #listeners = new Map<string, Forget[]>();

  /** Subscribes a cache. Called at its making, for the life of the process. */
  listen(topic: string, forget: Forget): void {
    this.#listeners.set(topic, [...(this.#listeners.get(topic) ?? []), forget]);
  }

  /**
   * Writes the notice down with the change, in its transaction, so that neither is there without the other. Processes that
   * miss `send`, also because this one dies before it, find it there.
   */
  abstract post(em: SqlEntityManager, notice: ChangeNotice): Promise<void>;

  /** Tells, after the commit. This process has forgotten when it returns. */
  send(notice: ChangeNotice): void {
    for (const forget of this.#listeners.get(notice.topic) ?? []) forget(notice.key);
  }

  /**
   * `undefined` while what is kept may be used, which is nearly always; else a promise to wait for. It does not reject: when
   * nobody can be asked, caches go on until what they keep is stale by itself.
   */
  abstract whenCurrent(): Promise<void> | undefined;

  /** Forgets everything: notices may have been missed. */
  protected forgetAll(): void {
    for (const listeners of this.#listeners.values()) for (const forget of listeners) forget(undefined);
  }
}

/** Notices within one process, for an installation that has no other, and for specs. */
export class LocalChangeNotices extends ChangeNotices {
  async post(): Promise<void> {}

  whenCurrent(): undefined {
    return undefined;
  }
}
