import type { AbstractSqlConnection } from '@mikro-orm/sql';

/**
 * Lets statements that come first at the same time share the one pool that is being made. On mysql and mariadb MikroORM makes it
 * asynchronously, and each of them would make its own: all but the last are forgotten, with connections that nobody counts or
 * closes, and the process never ends.
 */
export function openOnePool(connection: AbstractSqlConnection): void {
  const create = connection.createKysely.bind(connection);
  const close = connection.close.bind(connection);
  let making: Promise<void> | undefined;
  connection.createKysely = () => {
    if (making) return making;
    const made = create();
    if (!(made instanceof Promise)) return made;
    making = made.finally(() => {
      making = undefined;
    });
    return making;
  };
  // A pool that is still being made would outlive the connection it belongs to.
  connection.close = async (force) => {
    await making?.catch(() => {});
    await close(force);
  };
}
