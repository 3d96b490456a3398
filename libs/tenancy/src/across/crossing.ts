import { AsyncLocalStorage } from 'node:async_hooks';
import { AcrossTenantsEndedError } from '../errors/across-tenants-ended.error.js';
import { OperationRefusedError } from '../guard/errors/operation-refused.error.js';

/** Column that says whose a row is. */
const TENANT_COLUMN = 'tenant_id';

/** One use of `AcrossTenants.run`: how long it is open, and whose rows it has seen. */
export class Crossing {
  readonly #rows = new Map<string, number>();
  #isClosed = false;

  /** @param endsAt  on the clock of `performance.now()` */
  constructor(private readonly endsAt: number) {}

  /** Rows read so far, by tenant id. */
  get rows(): ReadonlyMap<string, number> {
    return this.#rows;
  }

  /** Nothing more goes through, also not for work that `fn` left behind. */
  close(): void {
    this.#isClosed = true;
  }

  /**
   * Lets a statement go ahead that the guard has read and not refused.
   * @param queries  how many SELECTs it is made of, sub-queries included
   * @param tellsTenant  whether each row it gives says whose it is
   * @throws {AcrossTenantsEndedError} @throws {OperationRefusedError} for anything but one plain SELECT of such rows
   */
  admit(sql: string, queries: number, tellsTenant: boolean): void {
    if (this.#isClosed || performance.now() > this.endsAt) throw new AcrossTenantsEndedError();
    if (!/^\s*select\b/i.test(sql) || /\bfor (?:update|share|no key update|key share)\b/i.test(sql)) {
      throw new OperationRefusedError(
        'A statement across tenants that is not a plain SELECT',
        'it would change or lock rows of tenants that do not know of it',
        'Write for one tenant at a time, with runAs().',
      );
    }
    if (queries > 1) {
      throw new OperationRefusedError(
        'A sub-query across tenants',
        'what it reads is not among the rows it gives, so nobody could be told',
        'Send its parts one after another.',
      );
    }
    if (!tellsTenant) refuseUntold();
  }

  /** An answer that is counted before anybody sees it. @throws as `witness` */
  async witnessed<T extends { readonly rows: readonly unknown[] }>(answering: Promise<T>): Promise<T> {
    const answer = await answering;
    this.witness(answer.rows);
    return answer;
  }

  /**
   * Counts what was read, before anybody sees it.
   * @throws {OperationRefusedError} for a row that does not say whose it is: its tenant could not be told
   */
  witness(rows: readonly unknown[]): void {
    for (const row of rows) {
      const tenantId = (row as Record<string, unknown>)[TENANT_COLUMN];
      if (typeof tenantId !== 'string') refuseUntold();
      this.#rows.set(tenantId, (this.#rows.get(tenantId) ?? 0) + 1);
    }
  }
}

function refuseUntold(): never {
  throw new OperationRefusedError(
    'A SELECT across tenants without "tenant_id"',
    'whose rows were read could not be told to them',
    'Select the column tenant_id; join tables by it, and group by it in aggregates.',
  );
}

const crossings = new AsyncLocalStorage<Crossing>();

/** Makes `crossing` current while `fn` and everything it starts run. */
export function enterCrossing<T>(crossing: Crossing, fn: () => T): T {
  return crossings.run(crossing, fn);
}

/** The crossing that the current call belongs to. */
export function findCrossing(): Crossing | undefined {
  return crossings.getStore();
}
