import { createRequire } from 'node:module';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Redis } from 'ioredis';
import type { ChangeNotice } from '#libs/persistence';
import { AppConfig } from '../config/app.config.js';

const require = createRequire(import.meta.url);

/** One for all installations that share a Redis: to forget what another one changed costs a look, no more. */
const CHANNEL = 'rowhouse:changes';
const LONGEST_PAUSE_MS = 5_000;

/** What is done with what comes. */
export interface NoticeReceiver {
  onNotice(notice: ChangeNotice): void;
  /** Notices may have been missed. */
  onGap(): void;
}

function parse(message: string): ChangeNotice | undefined {
  try {
    const { topic, key } = JSON.parse(message) as Partial<ChangeNotice>;
    return typeof topic === 'string' && typeof key === 'string' ? { topic, key } : undefined;
  } catch {
    return undefined;
  }
}

/** Carries notices between processes through Redis, within milliseconds; without a `REDIS_URL` it is never open. */
@Injectable()
export class NoticeChannel implements OnApplicationShutdown {
  readonly #logger = new Logger(NoticeChannel.name);
  #publisher: Redis | undefined;
  #subscriber: Redis | undefined;
  #isOpen = false;

  constructor(private readonly config: AppConfig) {}

  /** Whether what others send arrives here at this moment. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Called once, by whoever acts on what comes. */
  open(receiver: NoticeReceiver): void {
    const { redisUrl } = this.config;
    if (!redisUrl) return;
    this.#publisher = this.#connect(redisUrl);
    const subscriber = this.#connect(redisUrl);
    this.#subscriber = subscriber;
    subscriber.on('ready', () => void this.#subscribe(subscriber, receiver));
    subscriber.on('close', () => {
      this.#isOpen = false;
    });
    subscriber.on('message', (_, message) => {
      const notice = parse(message);
      if (notice) receiver.onNotice(notice);
      else receiver.onGap();
    });
  }

  /** Sends, and does not wait: what is lost on the way is in the table. */
  send(notice: ChangeNotice): void {
    this.#publisher?.publish(CHANNEL, JSON.stringify(notice)).catch(() => undefined);
  }

  onApplicationShutdown(): void {
    this.#isOpen = false;
    this.#publisher?.disconnect();
    this.#subscriber?.disconnect();
  }

  async #subscribe(subscriber: Redis, receiver: NoticeReceiver): Promise<void> {
    try {
      await subscriber.subscribe(CHANNEL);
      receiver.onGap();
      this.#isOpen = true;
    } catch (error) {
      this.#logger.warn(`Redis refuses to carry notices: ${String(error)}`);
    }
  }

  #connect(url: string): Redis {
    // Loaded here: without Redis its client would only cost start-up time and memory.
    const client = require('ioredis') as typeof import('ioredis');
    const redis = new client.Redis(url, {
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      // Subscribed anew by us, which also tells what may have been missed.
      autoResubscribe: false,
      connectTimeout: 2_000,
      keepAlive: 5_000,
      retryStrategy: (attempt) => Math.min(attempt * 200, LONGEST_PAUSE_MS),
    });
    // That Redis is away is told once, by whoever counts limits there.
    redis.on('error', () => undefined);
    return redis;
  }
}
