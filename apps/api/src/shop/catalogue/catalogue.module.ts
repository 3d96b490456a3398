import { Module } from '@nestjs/common';
import { ProductService } from './product.service.js';
import { ProductHistoryController } from './product-history.controller.js';
import { ProductImporter } from './product-importer.js';
import { ProductsController } from './products.controller.js';

/** Products. */
@Module({
  controllers: [ProductsController, ProductHistoryController],
  providers: [ProductImporter, ProductService],
  exports: [ProductImporter],
})
export class CatalogueModule {}
