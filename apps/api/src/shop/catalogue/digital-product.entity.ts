import { Entity, Property } from '@mikro-orm/decorators/legacy';
import { Product, type ProductDetails } from './product.entity.js';

@Entity({ tableName: 'digital_product' })
export class DigitalProduct extends Product {
  /** Size of the download in units of 1024 bytes; `null` while unknown. */
  @Property({ type: 'bigint', runtimeType: 'number', nullable: true })
  downloadSizeKb: number | null;

  constructor(details: ProductDetails & { readonly downloadSizeKb?: number | null }) {
    super('digital', details);
    this.downloadSizeKb = details.downloadSizeKb ?? null;
  }
}
