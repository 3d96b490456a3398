import {
  AuditErasure,
  AuditExporter,
  AuditKeyRing,
  AuditKeys,
  type AuditModuleOptions,
  AuditProofs,
  AuditRecorder,
  AuditRetention,
  AuditSealer,
  AuditTrail,
  AuditVerifier,
  ErasedSubjectKey,
  PersonalKeys,
  SealScheduler,
  TenantRoster,
} from '#libs/audit';
import type { ContextTenant } from '#libs/context';
import { CentralEntityManager, type CurrentEntityManager } from '#libs/persistence';
import type { IsolationStrategyName } from '#libs/tenancy';
import type { TestEngine } from '#libs/testing';
import { aDatabase, Tag } from '#libs/testing';
import { type AuditWorld, anAuditWorld } from './audit-world.js';

/** Keys that a case can rotate and revoke. */
export class CaseKeys extends AuditKeys {
  current = AuditKeyRing.create();
  /** What this process still knows, of a set that another one has changed. */
  known: AuditKeyRing | undefined;

  ring(): AuditKeyRing {
    return this.known ?? this.current;
  }

  override fresh(): AuditKeyRing {
    this.known = undefined;
    return this.current;
  }
}

/** The case's tenant is all there are. */
class OneTenant extends TenantRoster {
  constructor(private readonly tenant: ContextTenant) {
    super();
  }

  async *all(): AsyncIterable<ContextTenant> {
    yield this.tenant;
  }
}

/** A process that has just started: it seals what is committed from now on, and when it sweeps, what was before. */
export function aScheduler({ sealer, erasure, recorder, tenant, options }: SealedWorld) {
  const errors: unknown[] = [];
  const reporting = { ...options, onSealingError: (error: unknown) => errors.push(error) };
  return { scheduler: new SealScheduler(sealer, new OneTenant(tenant), erasure, recorder, reporting), errors };
}

/** An audit world whose trail is sealed. */
export interface SealedWorld {
  readonly world: AuditWorld;
  readonly tenant: ContextTenant;
  readonly keys: CaseKeys;
  readonly options: AuditModuleOptions;
  readonly entityManager: CurrentEntityManager;
  readonly recorder: AuditRecorder;
  readonly sealer: AuditSealer;
  readonly verifier: AuditVerifier;
  readonly proofs: AuditProofs;
  readonly retention: AuditRetention;
  readonly erasure: AuditErasure;
  readonly exporter: AuditExporter;
  /** Writes `count` entries, one transaction each. */
  write(count: number): Promise<void>;
  /** Seals, as the tenant. */
  seal(): ReturnType<AuditSealer['seal']>;
  verify(...args: Parameters<AuditVerifier['verify']>): ReturnType<AuditVerifier['verify']>;
}

/** Declares a central database that holds the list of destroyed keys. */
function aCentralDatabase(engine: TestEngine): () => CentralEntityManager {
  const database = aDatabase(engine, [ErasedSubjectKey]);
  class Central extends CentralEntityManager {
    get() {
      return database.fork();
    }
  }
  return () => new Central();
}

const DEFAULTS: Partial<AuditModuleOptions> = { minRetentionDays: undefined, maxRowEntries: undefined };

/**
 * Declares the database of a suite; gives a fresh world, with a tenant of its own, for each case, under the options that the
 * case asks for.
 */
export function aSealedWorld(
  engine: TestEngine,
  strategy: IsolationStrategyName = 'row',
): (extra?: Partial<AuditModuleOptions>) => Promise<SealedWorld> {
  const keys = new CaseKeys();
  const options: AuditModuleOptions = { keys };
  const personalKeys = new PersonalKeys();
  const recorder = new AuditRecorder(options, personalKeys);
  const central = aCentralDatabase(engine);
  const trail = (current: CurrentEntityManager) => new AuditTrail(current, options, undefined, personalKeys);
  const aWorld = anAuditWorld(engine, { strategy, control: { recorder: () => recorder, trail } });
  return async (extra = {}) => {
    Object.assign(options, DEFAULTS, extra);
    keys.current = AuditKeyRing.create();
    keys.known = undefined;
    const world = await aWorld();
    const current = world.entityManager;
    const sealer = new AuditSealer(current, options);
    const verifier = new AuditVerifier(current, sealer, options);
    return {
      world,
      tenant: world.tenant,
      keys,
      options,
      entityManager: current,
      recorder,
      sealer,
      verifier,
      proofs: new AuditProofs(current, sealer),
      retention: new AuditRetention(current, world.trail, sealer, options),
      erasure: new AuditErasure(current, world.trail, personalKeys, central()),
      exporter: new AuditExporter(current, world.trail, sealer, verifier, options),
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

/** What a stream of text gives. */
export async function textOf(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}

/** The lines of a text, as a file would be read. */
export async function* linesOf(text: string): AsyncGenerator<string> {
  for (const line of text.split('\n')) if (line !== '') yield line;
}
