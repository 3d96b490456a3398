import { Module } from '@nestjs/common';
import { CatalogueModule } from '../shop/catalogue/catalogue.module.js';
import { DemoSeeder } from './demo-seeder.js';

/** Demo data. */
@Module({ imports: [CatalogueModule], providers: [DemoSeeder] })
export class DemoModule {}
