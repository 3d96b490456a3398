import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { TenantOwned } from '#libs/persistence';

/** The table of the suite's model, which needs jest. */
@Entity({ tableName: 'tag' })
export class Tag extends TenantOwned {
  @Property({ type: 'string', length: 50 })
  name!: string;
}
