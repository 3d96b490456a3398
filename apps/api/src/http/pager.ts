import type { EntityClass, FilterQuery } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import { CentralEntityManager, keysetAfter, keysetOrder, keysetPosition, type SortKey } from '#libs/persistence';
import { CursorCodec } from './cursor-codec.js';
import type { PageQuery } from './page.schemas.js';

/** One page, and the cursor of the next (`null` on the last). */
export interface Page<Row> {
  readonly data: Row[];
  readonly nextCursor: string | null;
}

/** A list of rows of the central database. */
export interface CentralList<Row extends object> {
  readonly entity: EntityClass<Row>;
  readonly where: FilterQuery<Row>;
  /** The last key is unique among the rows. */
  readonly keys: readonly SortKey[];
  /** What a cursor of this list is good for: its name, and whose it is. */
  readonly scope: string;
}

/** Reads lists of the central database page by page; a page costs the same wherever it lies. */
@Injectable()
export class Pager {
  constructor(
    private readonly central: CentralEntityManager,
    private readonly cursors: CursorCodec,
  ) {}

  /** @throws {InvalidInputError} for a cursor of another list */
  async read<Row extends object>(
    { entity, where, keys, scope }: CentralList<Row>,
    { limit, cursor }: PageQuery,
  ): Promise<Page<Row>> {
    const conditions = [where];
    if (cursor !== undefined) conditions.push(keysetAfter<Row>(keys, this.cursors.decode(scope, cursor)));
    // One row more than asked for tells whether there is a next page, without a count.
    const rows = await this.central.get().find(entity, { $and: conditions } as FilterQuery<NoInfer<Row>>, {
      orderBy: keysetOrder<Row>(keys),
      limit: limit + 1,
    });
    const data = rows.slice(0, limit) as Row[];
    const last = data.at(-1);
    const more = rows.length > data.length && last;
    return { data, nextCursor: more ? this.cursors.encode(scope, keysetPosition(keys, last)) : null };
  }
}
