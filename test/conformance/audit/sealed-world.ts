import {
  AuditKeyRing,
  AuditKeys,
  type AuditModuleOptions,
  AuditProofs,
  AuditRecorder,
  AuditSealer,
  AuditTrail,
  AuditVerifier,
} from '#libs/audit';
import type { ContextTenant } from '#libs/context';
import type { CurrentEntityManager } from '#libs/persistence';
import type { TestEngine } from '#libs/testing';
import { Tag } from '#libs/testing';
import { type AuditWorld, anAuditWorld } from './audit-world.js';

/** Keys that a case can rotate and revoke. */
export class CaseKeys extends AuditKeys {
  current = AuditKeyRing.create();

  ring(): AuditKeyRing {
    return this.current;
  }
}

/** An audit world whose trail is sealed. */
export interface SealedWorld {
  readonly world: AuditWorld;
  readonly tenant: ContextTenant;
  readonly keys: CaseKeys;
  readonly options: AuditModuleOptions;
  readonly entityManager: CurrentEntityManager;
  readonly sealer: AuditSealer;
  readonly verifier: AuditVerifier;
  readonly proofs: AuditProofs;
  /** Writes `count` entries, one transaction each. */
  write(count: number): Promise<void>;
  /** Seals, as the tenant. */
  seal(): ReturnType<AuditSealer['seal']>;
  verify(...args: Parameters<AuditVerifier['verify']>): ReturnType<AuditVerifier['verify']>;
}

/** Declares the database of a suite; gives a fresh world, with a tenant of its own, for each case. */
export function aSealedWorld(engine: TestEngine, extra: Partial<AuditModuleOptions> = {}): () => SealedWorld {
  const keys = new CaseKeys();
  const options: AuditModuleOptions = { keys, ...extra };
  let entityManager: CurrentEntityManager | undefined;
  const aWorld = anAuditWorld(engine, {
    recorder: () => new AuditRecorder(options),
    trail: (current) => {
      entityManager = current;
      return new AuditTrail(current, options);
    },
  });
  return () => {
    const world = aWorld();
    keys.current = AuditKeyRing.create();
    const current = entityManager as CurrentEntityManager;
    const sealer = new AuditSealer(current, options);
    const verifier = new AuditVerifier(current, sealer, options);
    return {
      world,
      tenant: world.tenant,
      keys,
      options,
      entityManager: current,
      sealer,
      verifier,
      proofs: new AuditProofs(current, sealer),
      async write(count) {
        for (let index = 0; index < count; index++) {
          await world.write((em) => void em.create(Tag, { name: `tag ${index} ${Math.random()}` }));
        }
      },
      seal: () => world.as(() => sealer.seal()),
      verify: (...args) => world.as(() => verifier.verify(...args)),
    };
  };
}
