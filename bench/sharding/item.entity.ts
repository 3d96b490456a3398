import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** The row that SQLAlchemy's side of the benchmark stores. Sharded by its key. */
@Entity({ tableName: 'item' })
export class Item {
  @PrimaryKey({ type: 'integer', autoincrement: false })
  id!: number;

  @Property({ type: 'string', length: 32 })
  tenant!: string;

  @Property({ type: 'string', length: 64 })
  name!: string;

  @Property({ type: 'double' })
  amount!: number;

  @Property({ type: 'string', length: 128, nullable: true })
  note?: string | null;
}
