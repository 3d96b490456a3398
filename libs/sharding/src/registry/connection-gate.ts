import type { AbstractSqlConnection } from '@mikro-orm/sql';
import type { Dialect } from 'kysely';
import { ShardClosedError } from '../errors/shard-closed.error.js';
import { ShardUnavailableError } from '../errors/shard-unavailable.error.js';
import { isUnavailable, toShardError } from '../fan-out/shard-failure.js';
import type { ShardId } from './shard-definition.js';
import type { ShardOrm } from './shared-discovery.js';

/** The primary connection of an ORM and those of its replicas. */
export function connectionsOf(orm: ShardOrm): AbstractSqlConnection[] {
  const replicas = (orm.driver as unknown as { replicas: AbstractSqlConnection[] }).replicas;
  return [orm.driver.getConnection(), ...replicas];
}

/**
 * Opens each connection once. MikroORM connects at the first statement; two first statements at the same time would make
 * two pools on engines whose dialect loads asynchronously (mysql, mariadb), and nobody would ever close the first.
 */
export function connectOnce(orm: ShardOrm): void {
  for (const connection of connectionsOf(orm)) {
    const connect = connection.connect.bind(connection);
    let opening: Promise<void> | undefined;
    connection.connect = (options) => {
      opening ??= connect(options).finally(() => {
        opening = undefined;
      });
      return opening;
    };
  }
}

/** Lets what an ORM throws name the shard, when the shard is away: MikroORM would wrap it as an error of the statement. */
export function nameFailures(orm: ShardOrm, shardId: ShardId): void {
  const { driver } = orm;
  const convert = driver.convertException.bind(driver);
  driver.convertException = (exception) => {
    const named = toShardError(shardId, exception);
    return named instanceof ShardUnavailableError ? (named as never) : convert(exception);
  };
  for (const connection of connectionsOf(orm)) {
    const connect = connection.connect.bind(connection);
    connection.connect = (options) => connect(options).catch((error) => Promise.reject(toShardError(shardId, error)));
    nameOpening(connection as unknown as Opening, shardId);
  }
}

/** The method in which a connection makes the dialect of its Kysely; protected. */
interface Opening {
  createKyselyDialect(options: unknown): Dialect | Promise<Dialect>;
}

/** SQLite opens its file here, and for query builders and Kysely nothing of MikroORM stands behind it. */
function nameOpening(connection: Opening, shardId: ShardId): void {
  const createDialect = connection.createKyselyDialect.bind(connection);
  connection.createKyselyDialect = (options) => {
    try {
      return createDialect(options);
    } catch (error) {
      throw toShardError(shardId, error);
    }
  };
}

/** Closes the pools of an ORM for good: an EntityManager kept somewhere must not open new ones behind our back. */
export async function closeForGood(orm: ShardOrm, shardId: ShardId): Promise<void> {
  for (const connection of connectionsOf(orm)) {
    connection.connect = () => Promise.reject(new ShardClosedError(shardId));
    // Kysely asks for no connection before it makes a pool.
    connection.createKyselyDialect = () => {
      throw new ShardClosedError(shardId);
    };
  }
  // A connection that has just been lost cannot say goodbye, which is no trouble to who wants it closed.
  await orm.close(true).catch((error) => (isUnavailable(error) ? undefined : Promise.reject(error)));
}
