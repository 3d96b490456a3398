import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import { TenantRoster } from '#libs/audit';
import { runInContext } from '#libs/context';
import { Tenant, type TenantRecord, TenantStore } from '#libs/tenancy';
import { CentralDatabase } from '../storage/central-database.js';

const PAGE = 500;

/** Every tenant of the central database, with its placement. This is where sealing and tenancy meet. */
@Injectable()
export class CentralTenantRoster extends TenantRoster {
  constructor(
    private readonly central: CentralDatabase,
    private readonly tenants: TenantStore,
  ) {
    super();
  }

  override async *all(): AsyncIterable<TenantRecord> {
    for (let after = ''; ; ) {
      const page = await this.#ids(after);
      for (const id of page) {
        const record = await runInContext({}, () => this.tenants.findById(id));
        if (record) yield record;
      }
      const last = page.at(-1);
      if (last === undefined) return;
      after = last;
    }
  }

  async #ids(after: string): Promise<string[]> {
    const em = this.central.orm.em.fork({ disableContextResolution: true, useContext: false }) as SqlEntityManager;
    const where = after === '' ? {} : { id: { $gt: after } };
    const found = await em.find(Tenant, where, { fields: ['id'], orderBy: { id: 'asc' }, limit: PAGE });
    return found.map(({ id }) => id);
  }
}
