import { CentralEntityManager } from '../central-entity-manager.js';
import { CurrentEntityManager } from '../current-entity-manager.js';
import type { TransactionOptions } from './transaction.options.js';
import { transactional } from './transactional.js';

/** A method that returns a promise: one that does not would be over before its transaction. */
type AsyncMethod = (...args: never[]) => Promise<unknown>;

/**
 * Runs each call of a method in a transaction, as `transactional` does: of the current tenant's database when its object was
 * given a `CurrentEntityManager`, else of the central one. The method takes its EntityManager from there
 * (`this.entityManager.get()`), and may run again from its beginning.
 *
 * @throws {TypeError} at the call, when the object has neither
 * @example
 * class TransferService {
 *   constructor(private readonly entityManager: CurrentEntityManager) {}
 *
 *   @Transactional()
 *   async transfer(…) { const em = this.entityManager.get(); … }
 * }
 */
export function Transactional(options?: TransactionOptions) {
  return <Method extends AsyncMethod>(
    _prototype: object,
    name: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void => {
    const method = descriptor.value as AsyncMethod;
    descriptor.value = async function transactionalMethod(this: object, ...args: never[]) {
      return transactional(getPort(this, name).get(), () => method.apply(this, args), options);
    } as Method;
  };
}

function getPort(target: object, method: string | symbol): CurrentEntityManager | CentralEntityManager {
  const values = Object.values(target);
  const port =
    values.find((value) => value instanceof CurrentEntityManager) ??
    values.find((value) => value instanceof CentralEntityManager);
  if (port) return port;
  const place = `${target.constructor.name}.${String(method)}`;
  throw new TypeError(`@Transactional() on ${place} finds no EntityManager: inject CurrentEntityManager.`);
}
