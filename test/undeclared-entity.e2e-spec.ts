import { afterEach, describe, expect, it } from '@jest/globals';
import { Entity, PrimaryKey } from '@mikro-orm/decorators/legacy';
import { tenantEntities } from '#apps/api';
import { startTestApp } from './support/test-app.js';

@Entity()
class Stray {
  @PrimaryKey({ type: 'uuid' })
  readonly id!: string;
}

describe('an entity that nobody owns', () => {
  afterEach(() => {
    tenantEntities.splice(tenantEntities.indexOf(Stray), 1);
  });

  it('stops the start, and says its name and what to write', async () => {
    tenantEntities.push(Stray);
    await expect(startTestApp()).rejects.toThrow(/Stray has no owner\. Extend TenantOwned/);
  });
});
