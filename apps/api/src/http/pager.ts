import type { EntityClass, FilterQuery } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import { currentContext } from '#libs/context';
import {
  CentralEntityManager,
  CurrentEntityManager,
  keysetAfter,
  keysetOrder,
  keysetPosition,
  type SortKey,
} from '#libs/persistence';
import { CursorCodec } from './cursor-codec.js';
import type { PageQuery } from './page.schemas.js';

/** One page, and the cursor of the next (`null` on the last). */
export interface Page<Row> {
  readonly data: Row[];
  readonly nextCursor: string | null;
}

/** A list of rows of one class. */
export interface KeysetList<Row extends object> {
  readonly entity: EntityClass<Row>;
  readonly where: FilterQuery<Row>;
  /** The last key is unique among the rows. */
  readonly keys: readonly SortKey[];
  /** What a cursor of this list is good for: its name, and whose it is. */
  readonly scope: string;
}

/** Reads lists page by page; a page costs the same wherever it lies. */
@Injectable()
export class Pager {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly current: CurrentEntityManager,
    private readonly cursors: CursorCodec,
  ) {}

  /**
   * A list of the central database. Its scope says whose it is.
   * @throws {InvalidInputError} for a cursor of another list
   */
  read<Row extends object>(list: KeysetList<Row>, query: PageQuery): Promise<Page<Row>> {
    return this.#read(this.central.get(), list, query);
  }

  /**
   * A list of the current tenant.
   * @throws {InvalidInputError} for a cursor of another list, or of another tenant's
   */
  readOfTenant<Row extends object>(list: KeysetList<Row>, query: PageQuery): Promise<Page<Row>> {
    const scope = `${currentContext().getTenant().id} ${list.scope}`;
    return this.#read(this.current.get(), { ...list, scope }, query);
  }

  async #read<Row extends object>(
    entityManager: SqlEntityManager,
    { entity, where, keys, scope }: KeysetList<Row>,
    { limit, cursor }: PageQuery,
  ): Promise<Page<Row>> {
    const conditions = [where];
    if (cursor !== undefined) conditions.push(keysetAfter<Row>(keys, this.cursors.decode(scope, cursor)));
    // One row more than asked for tells whether there is a next page, without a count.
    const rows = await entityManager.find(entity, { $and: conditions } as FilterQuery<NoInfer<Row>>, {
      orderBy: keysetOrder<Row>(keys),
      limit: limit + 1,
    });
    const data = rows.slice(0, limit) as Row[];
    const last = data.at(-1);
    const more = rows.length > data.length && last;
    return { data, nextCursor: more ? this.cursors.encode(scope, keysetPosition(keys, last)) : null };
  }
}
