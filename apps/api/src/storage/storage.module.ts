import { Global, Module, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { CentralEntityManager, ChangeNotices, CurrentEntityManager } from '#libs/persistence';
import { ShardRegistry, SlotDirectory, SlotOccupants, TransactionRecoverer } from '#libs/sharding';
import { assertTenantModel, IsolationStrategies, TenantDatabases } from '#libs/tenancy';
import { AppConfig } from '../config/app.config.js';
import { tenantDatabaseLimits } from '../config/connection-budget.js';
import { CentralChangeNotices } from '../notices/central-change-notices.js';
import { NoticeChannel } from '../notices/notice-channel.js';
import { CentralDatabase } from './central-database.js';
import { DatabaseMigrator } from './database-migrator.js';
import { LatePlaces } from './late-places.js';
import { LateShards } from './late-shards.js';
import { MigrationStates } from './migration-states.js';
import { OwnPlaceRows } from './own-place-rows.js';
import { PlacedEntityManager } from './placed-entity-manager.js';
import { PlacedTenants } from './placed-tenants.js';
import { ShardReadiness } from './shard-readiness.js';
import { shardRegistryProvider } from './shard-registry.provider.js';
import { ShardRowSecurity } from './shard-row-security.js';
import { ShardTenantDatabases } from './shard-tenant-databases.js';
import { ShardTransactions } from './shard-transactions.js';
import { TenantPlaces } from './tenant-places.js';
import { transactionRecovererProvider } from './transaction-recoverer.provider.js';

function createStrategies(databases: TenantDatabases, config: AppConfig): IsolationStrategies {
  return new IsolationStrategies(databases, tenantDatabaseLimits(config));
}

/** Opens the databases and binds the ports through which everything else reaches them. */
@Global()
@Module({
  providers: [
    CentralDatabase,
    DatabaseMigrator,
    MigrationStates,
    TenantPlaces,
    OwnPlaceRows,
    LatePlaces,
    LateShards,
    ShardReadiness,
    transactionRecovererProvider,
    shardRegistryProvider,
    ShardRowSecurity,
    ShardTransactions,
    NoticeChannel,
    { provide: ChangeNotices, useClass: CentralChangeNotices },
    { provide: CentralEntityManager, useExisting: CentralDatabase },
    { provide: TenantDatabases, useClass: ShardTenantDatabases },
    { provide: IsolationStrategies, inject: [TenantDatabases, AppConfig], useFactory: createStrategies },
    { provide: CurrentEntityManager, useClass: PlacedEntityManager },
    { provide: SlotOccupants, useClass: PlacedTenants },
    {
      provide: SlotDirectory,
      inject: [CentralEntityManager, ShardRegistry, SlotOccupants],
      useFactory: (central: CentralEntityManager, shards: ShardRegistry, occupants: SlotOccupants) =>
        new SlotDirectory(central, shards, occupants),
    },
  ],
  exports: [
    LatePlaces,
    LateShards,
    TransactionRecoverer,
    CentralDatabase,
    CentralEntityManager,
    ChangeNotices,
    CurrentEntityManager,
    DatabaseMigrator,
    MigrationStates,
    IsolationStrategies,
    OwnPlaceRows,
    ShardRegistry,
    ShardRowSecurity,
    ShardTransactions,
    SlotDirectory,
    TenantDatabases,
    TenantPlaces,
  ],
})
export class StorageModule implements OnModuleInit, OnApplicationShutdown {
  constructor(
    private readonly central: CentralDatabase,
    private readonly shards: ShardRegistry,
    private readonly recoverer: TransactionRecoverer,
  ) {}

  /** An entity without an owner stops the start: the guard could not keep its rows apart. */
  onModuleInit(): void {
    for (const { orm } of this.shards.all()) assertTenantModel(orm.getMetadata());
  }

  async onApplicationShutdown(): Promise<void> {
    await this.recoverer.stop();
    await Promise.all([this.central.orm.close(true), this.shards.close()]);
  }
}
