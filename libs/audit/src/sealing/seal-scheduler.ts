import { AsyncLocalStorage } from 'node:async_hooks';
import { type BeforeApplicationShutdown, Inject, Injectable } from '@nestjs/common';
import { type ContextTenant, findContext, runAs } from '#libs/context';
import { AUDIT_MODULE_OPTIONS, type AuditModuleOptions } from '../audit.options.js';
import { AuditErasure } from '../erasure/audit-erasure.js';
import { AuditRecorder } from '../recorder/audit-recorder.js';
import { AuditSealer } from './audit-sealer.js';
import { TenantRoster } from './tenant-roster.js';

/** Work of the kit itself, in the trails of whoever it works for. */
const ACTOR = { id: 'audit-sealer', type: 'system' } as const;
/** Commits that come within this time are sealed together: each round costs about as much as three commits. */
const DELAY_MS = 500;
/** How late an entry of a healthy process may be. */
const LATE_MS = 2_000;
const DEFAULT_SWEEP_MS = 300_000;

/**
 * Seals in the background: soon after a transaction has committed, for its tenant; and from time to time for all tenants,
 * what a process that died left behind, and entries that came later than anybody expects. It hears of commits through the
 * `AuditRecorder`; `start` begins the sweeps.
 */
@Injectable()
export class SealScheduler implements BeforeApplicationShutdown {
  readonly #waiting = new Map<string, ContextTenant>();
  #timer: NodeJS.Timeout | undefined;
  #sweeps: NodeJS.Timeout | undefined;
  #running: Promise<void> = Promise.resolve();
  #isStopped = false;
  /** Where this object was made: outside of any request. What is sealed belongs to none, and outlives it. */
  readonly #outside = AsyncLocalStorage.snapshot();

  constructor(
    private readonly sealer: AuditSealer,
    private readonly roster: TenantRoster,
    private readonly erasure: AuditErasure,
    recorder: AuditRecorder,
    @Inject(AUDIT_MODULE_OPTIONS) private readonly options: AuditModuleOptions,
  ) {
    if (options.keys) recorder.onCommitted((tenant) => this.#note(tenant));
  }

  #note(tenant: ContextTenant): void {
    // Sealing commits as well, and that is nothing to seal.
    if (this.#isStopped || findContext()?.actor?.id === ACTOR.id) return;
    this.#waiting.set(tenant.id, tenant);
    this.#timer ??= this.#outside(() => setTimeout(() => this.#runWaiting(), DELAY_MS).unref());
  }

  /** Sweeps now, and from then on every few minutes. */
  start(): void {
    if (!this.options.keys || this.#isStopped) return;
    const sweep = () => void this.sweep().catch((error) => this.#report(error));
    this.#sweeps ??= setInterval(sweep, this.options.sweepMs ?? DEFAULT_SWEEP_MS).unref();
    sweep();
  }

  /** Seals everything of all tenants that is not sealed yet. */
  async sweep(): Promise<void> {
    await this.#after(async () => {
      for await (const tenant of this.roster.all()) {
        if (this.#isStopped) return;
        await this.#eraseAgain(tenant);
        await this.#seal(tenant);
      }
    });
  }

  /** Waits for what is being sealed and seals what is waiting; nothing is scheduled afterwards. */
  async beforeApplicationShutdown(): Promise<void> {
    this.#isStopped = true;
    clearInterval(this.#sweeps);
    clearTimeout(this.#timer);
    await this.#after(() => this.#sealWaiting());
  }

  #runWaiting(): void {
    this.#timer = undefined;
    void this.#after(() => this.#sealWaiting());
  }

  async #sealWaiting(): Promise<void> {
    // Those who commit meanwhile wait for the next round: else a busy tenant would be sealed without a pause.
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const tenant of waiting) await this.#seal(tenant, LATE_MS);
  }

  /** One tenant after the other: sealing takes turns with the work it follows, and never takes a whole pool. */
  #after(work: () => Promise<void>): Promise<void> {
    this.#running = this.#outside(() => this.#running.then(work).catch((error) => this.#report(error)));
    return this.#running;
  }

  /** A tenant that cannot be sealed, since its shard is away or its trail is broken, does not hold up the others. */
  async #seal(tenant: ContextTenant, lookBackMs?: number): Promise<void> {
    try {
      const round = lookBackMs === undefined ? {} : { lookBackMs };
      const { refused } = await runAs({ tenant, actor: ACTOR }, () => this.sealer.seal(round));
      if (refused.length > 0) this.#report(new Error(`Tenant ${tenant.slug}: ${refused.length} forged audit entries.`));
    } catch (error) {
      this.#report(error);
    }
  }

  /** A database that came back from a backup has brought keys along that were destroyed. */
  async #eraseAgain(tenant: ContextTenant): Promise<void> {
    try {
      await runAs({ tenant, actor: ACTOR }, () => this.erasure.eraseAgain());
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    this.options.onSealingError?.(error);
  }
}
