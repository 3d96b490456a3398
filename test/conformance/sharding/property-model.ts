import { Embeddable, Embedded, Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

@Embeddable()
export class Size {
  @Property({ type: 'integer' })
  width!: number;

  @Property({ type: 'string', length: 20 })
  unit!: string;
}

/** One column of every type that can be ordered by, and most of them nullable. Sharded by `shelf`. */
@Entity({ tableName: 'item' })
export class Item {
  @PrimaryKey({ type: 'uuid' })
  id!: string;

  @Property({ type: 'integer' })
  shelf!: number;

  @Property({ type: 'string', length: 40, nullable: true })
  name?: string | null;

  @Property({ type: 'integer', nullable: true })
  stock?: number | null;

  @Property({ type: 'bigint', nullable: true })
  views?: bigint | null;

  @Property({ type: 'decimal', precision: 12, scale: 2, nullable: true })
  price?: string | null;

  @Property({ type: 'boolean', nullable: true })
  isOnSale?: boolean | null;

  @Property({ type: 'Date', length: 3, nullable: true })
  soldAt?: Date | null;

  @Embedded(() => Size)
  size!: Size;
}

export const itemModel = [Item, Size];
