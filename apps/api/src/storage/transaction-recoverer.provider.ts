import { type FactoryProvider, Logger } from '@nestjs/common';
import { isUnavailable, ShardRegistry, TransactionRecoverer } from '#libs/sharding';

const logger = new Logger('TransactionRecoverer');

/** Finishes what transactions over several shards have left prepared. Started with the server, not by commands. */
export const transactionRecovererProvider: FactoryProvider<TransactionRecoverer> = {
  provide: TransactionRecoverer,
  inject: [ShardRegistry],
  useFactory: (shards: ShardRegistry) =>
    new TransactionRecoverer({
      shards,
      onError(error, id) {
        // Health and metrics tell of a shard that is away; everything else is for somebody to look at.
        if (!isUnavailable(error)) logger.error(`Recovery on shard ${id}: ${String(error)}`);
      },
    }),
};
