import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable, Logger } from '@nestjs/common';
import { type ChangeNotice, ChangeNotices } from '#libs/persistence';
import { AppConfig } from '../config/app.config.js';
import { CentralDatabase } from '../storage/central-database.js';
import { ChangeNoticeRecord } from './change-notice.entity.js';
import { NoticeChannel } from './notice-channel.js';

/** How far clocks of processes, and the wait for a commit, may be apart for every notice to be found. */
const OVERLAP_MS = 10_000;
/** While Redis carries notices, the table is only for those that a process died with before sending them. */
const INTERVAL_WITH_CHANNEL_MS = 10_000;
/** Requests do not wait for longer than this: what is kept is stale by itself before long. */
const PATIENCE_MS = 500;
const KEEP_FOR_MS = 3_600_000;
const TIDY_EVERY_MS = 600_000;

/**
 * Notices by way of a table of the central database, where each is committed with its change, and of Redis where there is
 * one. The table is asked when something kept is used and the last look is `cacheCheckMs` old: no timer, no load while
 * nobody calls, and nobody is answered from what another process changed longer ago than that.
 */
@Injectable()
export class CentralChangeNotices extends ChangeNotices {
  readonly #logger = new Logger(CentralChangeNotices.name);
  /** Notices acted on, with their time: the overlap shows them again. */
  readonly #seen = new Map<string, number>();
  /** Wall clock: everything written before has been read, but for the overlap. */
  #readUntil = Date.now();
  #checkedAt = Number.NEGATIVE_INFINITY;
  #tidiedAt = Date.now();
  #checking: Promise<void> | undefined;
  #isAway = false;

  constructor(
    private readonly config: AppConfig,
    private readonly central: CentralDatabase,
    private readonly channel: NoticeChannel,
  ) {
    super();
    channel.open({ onNotice: (notice) => super.send(notice), onGap: () => this.forgetAll() });
  }

  async post(em: SqlEntityManager, { topic, key }: ChangeNotice): Promise<void> {
    await em.insert(ChangeNoticeRecord, { ...new ChangeNoticeRecord(topic, key) });
  }

  override send(notice: ChangeNotice): void {
    super.send(notice);
    this.channel.send(notice);
  }

  whenCurrent(): Promise<void> | undefined {
    const interval = this.channel.isOpen ? INTERVAL_WITH_CHANNEL_MS : this.config.cacheCheckMs;
    if (performance.now() - this.#checkedAt < interval) return undefined;
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #check(): Promise<void> {
    let patience: NodeJS.Timeout | undefined;
    const enough = new Promise<void>((resolve) => {
      patience = setTimeout(resolve, PATIENCE_MS);
    });
    await Promise.race([this.#read(), enough]);
    clearTimeout(patience);
    // Also after a failure: the next look comes with the interval, not with the next request.
    this.#checkedAt = performance.now();
  }

  async #read(): Promise<void> {
    try {
      const em = this.central.orm.em.fork({ disableContextResolution: true, useContext: false }) as SqlEntityManager;
      const now = Date.now();
      if (this.#readUntil < now - KEEP_FOR_MS / 2) this.forgetAll();
      const since = this.#readUntil - OVERLAP_MS;
      const found = await em.find(ChangeNoticeRecord, { at: { $gte: new Date(since) } }, { orderBy: { at: 'asc' } });
      for (const notice of found) this.#act(notice);
      this.#readUntil = now;
      this.#forgetSeen(since);
      await this.#tidy(em);
      this.#isAway = false;
    } catch (error) {
      if (!this.#isAway) this.#logger.warn(`Changes of other processes cannot be looked up: ${String(error)}`);
      this.#isAway = true;
    }
  }

  #act({ id, at, topic, key }: ChangeNoticeRecord): void {
    if (this.#seen.has(id)) return;
    this.#seen.set(id, at.getTime());
    super.send({ topic, key });
  }

  #forgetSeen(since: number): void {
    for (const [id, at] of this.#seen) if (at < since) this.#seen.delete(id);
  }

  async #tidy(em: SqlEntityManager): Promise<void> {
    if (Date.now() - this.#tidiedAt < TIDY_EVERY_MS) return;
    this.#tidiedAt = Date.now();
    await em.nativeDelete(ChangeNoticeRecord, { at: { $lt: new Date(Date.now() - KEEP_FOR_MS) } });
  }
}
