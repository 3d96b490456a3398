import { Module } from '@nestjs/common';
import { ProductService } from './product.service.js';
import { ProductImporter } from './product-importer.js';
import { ProductsController } from './products.controller.js';

/** Products. */
@Module({ controllers: [ProductsController], providers: [ProductImporter, ProductService], exports: [ProductImporter] })
export class CatalogueModule {}
