import { Injectable } from '@nestjs/common';
import { type Actor, runAs, runInContext } from '#libs/context';
import { isUnavailable, ShardRegistry } from '#libs/sharding';
import { TenantStore } from '#libs/tenancy';
import { ProductImporter } from '../shop/catalogue/product-importer.js';
import { SignUpService } from '../tenants/sign-up.service.js';
import { readDemoProducts } from './demo-products.js';
import { type DemoTenant, demoTenants } from './demo-tenants.js';

const seeder: Actor = { id: 'demo-seeder', type: 'system' };

/** Makes the demo tenants, each on a shard of its own, with products. Tenants that exist are left as they are. */
@Injectable()
export class DemoSeeder {
  constructor(
    private readonly signUps: SignUpService,
    private readonly tenants: TenantStore,
    private readonly shards: ShardRegistry,
    private readonly importer: ProductImporter,
  ) {}

  /** @param say  takes one line of progress per tenant made */
  async seed(say: (line: string) => void): Promise<void> {
    for (const [index, tenant] of demoTenants.entries()) {
      const shardId = this.shards.ids[index % this.shards.ids.length];
      await runInContext({ actor: seeder }, () => this.#seedTenant(tenant, String(shardId), say)).catch((error) => {
        if (!isUnavailable(error)) throw error;
        say(`Demo tenant ${tenant.slug}: ${shardId} is away; it is made at the next start.`);
      });
    }
  }

  async #seedTenant(demo: DemoTenant, shardId: string, say: (line: string) => void): Promise<void> {
    if (await this.tenants.findBySlug(demo.slug)) return;
    await this.signUps.signUp(demo, { shard: shardId });
    const tenant = await this.tenants.getBySlug(demo.slug);
    const { inserted } = await runAs({ tenant, actor: seeder }, () =>
      this.importer.import(readDemoProducts(demo.slug)),
    );
    say(`Demo tenant ${demo.slug}: ${inserted} products on ${shardId}.`);
  }
}
