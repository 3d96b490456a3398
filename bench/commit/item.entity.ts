import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';

/** One row of a commit. */
@Entity({ tableName: 'item' })
export class Item {
  @PrimaryKey({ type: 'integer', autoincrement: false })
  id!: number;

  @Property({ type: 'string', length: 50 })
  name!: string;
}
