export { shopResources } from './isolation/shop-resources.js';
export { type VerificationOptions, type VerifiedPromise, verifyIsolation } from './isolation/verify-isolation.js';
export { type MadeMigration, makeMigration } from './migrations/make-migration.js';
