import { Module } from '@nestjs/common';
import { CategoriesController } from './categories.controller.js';
import { CategoryService } from './category.service.js';
import { ProductService } from './product.service.js';
import { ProductHistoryController } from './product-history.controller.js';
import { ProductImporter } from './product-importer.js';
import { ProductsController } from './products.controller.js';
import { TagService } from './tag.service.js';
import { TagsController } from './tags.controller.js';

/** Products, their categories and tags. */
@Module({
  controllers: [ProductsController, ProductHistoryController, CategoriesController, TagsController],
  providers: [CategoryService, ProductImporter, ProductService, TagService],
  exports: [ProductImporter],
})
export class CatalogueModule {}
