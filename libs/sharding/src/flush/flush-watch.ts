import type { EntityManager, EventSubscriber, FlushEventArgs } from '@mikro-orm/core';

/** Called at the last moment before a flush sends SQL. */
export type OnFlush = (args: FlushEventArgs) => Promise<void>;

/**
 * Hears the flushes of one MikroORM instance and passes those of children on to their unit of work. One per instance
 * instead of one per child: registering a listener on a fork would need an event manager of its own.
 */
export class FlushWatch implements EventSubscriber {
  readonly #children = new WeakMap<EntityManager, OnFlush>();

  watch(em: EntityManager, onFlush: OnFlush): void {
    this.#children.set(em, onFlush);
  }

  async onFlush(args: FlushEventArgs): Promise<void> {
    await this.#children.get(args.em)?.(args);
  }
}
