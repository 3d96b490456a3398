import type { Opt } from '@mikro-orm/core';
import { Entity, Index, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { newId } from '#libs/persistence';

/** That something was changed which processes keep in memory. Read by all of them, and removed when all have. */
@Entity({ tableName: 'change_notice' })
export class ChangeNoticeRecord {
  @PrimaryKey({ type: 'uuid' })
  readonly id: string & Opt = newId();

  /** UTC, clock of the process that made the change. */
  @Index()
  @Property({ type: 'Date', length: 3 })
  readonly at: Date & Opt = new Date();

  @Property({ type: 'string', length: 40 })
  readonly topic: string;

  @Property({ type: 'string', length: 253 })
  readonly key: string;

  constructor(topic: string, key: string) {
    this.topic = topic;
    this.key = key;
  }
}
