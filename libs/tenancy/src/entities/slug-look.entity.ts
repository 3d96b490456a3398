import { Entity, PrimaryKey, Property } from '@mikro-orm/decorators/legacy';
import { lookOf } from '../slug.js';

/** That a slug of this look is taken. Its key is what refuses the second of two tenants who look alike, at once too. */
@Entity({ tableName: 'slug_look' })
export class SlugLook {
  @PrimaryKey({ type: 'string', length: 40 })
  readonly look: string;

  @Property({ type: 'string', length: 40 })
  readonly slug: string;

  constructor(slug: string) {
    this.look = lookOf(slug);
    this.slug = slug;
  }
}
