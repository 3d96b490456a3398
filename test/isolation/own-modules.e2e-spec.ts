import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { shopResources } from '#apps/cli';
import { expectIsolated } from '#libs/testing';
import { startTestApp, type TestApp } from '../support/test-app.js';

describe('what tenants have', () => {
  let test: TestApp;
  beforeAll(async () => {
    test = await startTestApp();
  });
  afterAll(() => test.close());

  it.each(shopResources)('is kept apart at $path', async (resource) => {
    const results = await expectIsolated(test.app, resource);
    expect(results.length).toBeGreaterThan(0);
  });
});
