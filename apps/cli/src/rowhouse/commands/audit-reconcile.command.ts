import { AuditWitnesses, type UnrecordedChangeOfTenant } from '#apps/api';
import { TenantRoster } from '#libs/audit';
import { TenantStore } from '#libs/tenancy';
import type { CliCall, CliCommand } from '../cli-command.js';
import { UsageError } from '../usage.error.js';

/** Rows were changed past the application. */
class UnrecordedChangesError extends Error {
  readonly code = 'unrecorded_changes';

  constructor(count: number) {
    super(`${count} changes have no audit entry, and no entry explains them.`);
  }
}

/** Name rows that were changed without leaving an audit entry. */
export const auditReconcileCommand: CliCommand = {
  noun: 'audit',
  verb: 'reconcile',
  summary: 'name rows that were changed without leaving an audit entry; ends with 1 when there are any',
  configure: (command) =>
    command
      .option('--tenant <slug>', 'this one alone')
      .option('--from <time>', 'not before, such as 2026-01-31T12:00:00Z'),
  async run({ options, app, terminal }: CliCall) {
    const { tenant: slug, from } = options as { tenant?: string; from?: string };
    const since = from === undefined ? undefined : new Date(from);
    if (since && Number.isNaN(since.getTime())) throw new UsageError(`"${from}" is no time.`);
    const context = await app();
    const witnesses = context.get(AuditWitnesses);
    const found: UnrecordedChangeOfTenant[] = [];
    if (slug !== undefined)
      found.push(...(await witnesses.reconcile(await context.get(TenantStore).getBySlug(slug), since)));
    else
      for await (const tenant of context.get(TenantRoster).all())
        found.push(...(await witnesses.reconcile(tenant, since)));
    terminal.table(
      found.map(({ tenant, at, operation, table, entityId, dbUser, application, explainedBy }) => ({
        ...{ tenant, at, operation, table, entityId, dbUser, application, explainedBy },
      })),
    );
    const unexplained = found.filter(({ explainedBy }) => explainedBy === null);
    if (unexplained.length > 0) throw new UnrecordedChangesError(unexplained.length);
  },
};
