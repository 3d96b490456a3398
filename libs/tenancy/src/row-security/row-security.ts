import type { MikroORM } from '@mikro-orm/core';
import type { AbstractSqlDriver, SqlEntityManager } from '@mikro-orm/sql';
import { isAppendOnly, isSharedByTenants, runInSystemFrame } from '#libs/persistence';
import { RowSecurityError } from '../errors/row-security.error.js';
import { type FoundTable, mayTakeRole, readRole, readTables } from './found-security.js';
import { createPolicySql, quoted, type TenantPolicy, tenantPolicies, tenantTablesOf } from './tenant-policies.js';

/** Another process did the same at the same time; roles and privileges are rows like any other. */
const RACES = new Set(['42710', '23505', 'XX000']);
const ATTEMPTS = 5;
const NOT_ALLOWED = '42501';

/** A database whose row-level security is looked after. */
export interface SecuredDatabase {
  /** As people know it, for messages: the id of a shard. */
  readonly id: string;
  readonly orm: MikroORM<AbstractSqlDriver>;
  /** Schema of the tables. Default: the one that statements reach without naming any. */
  readonly schema?: string;
}

/**
 * The role that application work runs as, and the check that the policies of a PostgreSQL database are those of its
 * entities. Works as the owner of the tables; on other engines there is nothing to do for it.
 */
export class RowSecurity {
  /** @param role  owns nothing and may do what an application does; made when it is missing */
  constructor(private readonly role: string) {}

  /**
   * Makes the role if need be, and gives it what it lacks: reading and writing, but adding only where rows are on record,
   * and reading only where they are shared by tenants. Idempotent; after migrations, and for each new schema.
   *
   * @throws {RowSecurityError} when the owner of the tables may not make roles; it says what to run
   */
  async prepare(database: SecuredDatabase): Promise<void> {
    const { id, orm } = database;
    await runInSystemFrame(`give ${this.role} what it needs on ${id}`, () => this.#makeRole(orm, id));
    await runInSystemFrame(`give ${this.role} what it needs on ${id}`, () => this.#grant(database));
  }

  /**
   * Compares what the database enforces with what the entities ask for.
   *
   * @throws {RowSecurityError} a table without its policies, with others, or with row-level security off or not forced; a
   *   role that owns tables, is a superuser or may bypass policies
   */
  async assert(database: SecuredDatabase): Promise<void> {
    const findings = await runInSystemFrame(`check row-level security of ${database.id}`, () => this.#find(database));
    if (findings.length > 0) throw new RowSecurityError(database.id, findings);
  }

  async #makeRole(orm: MikroORM<AbstractSqlDriver>, id: string): Promise<void> {
    const em = emOf(orm);
    const name = quoted(this.role);
    try {
      if ((await readRole(em, this.role)) === undefined) {
        await patiently(() => em.execute(`create role ${name} nologin nosuperuser nobypassrls`));
      }
      if (!(await mayTakeRole(em, this.role))) await patiently(() => em.execute(`grant ${name} to current_user`));
    } catch (error) {
      if (codeOf(error) !== NOT_ALLOWED) throw error;
      const remedy = `The role ${name} is missing, or its owner may not take it. As a superuser, run: create role ${name} nologin; grant ${name} to <the user of the URL>`;
      throw new RowSecurityError(id, [remedy], { cause: error });
    }
  }

  async #grant({ orm, schema }: SecuredDatabase): Promise<void> {
    const em = emOf(orm);
    const wanted = wantedPrivileges(orm);
    const lacking = new Map<string, string[]>();
    const closed = new Set<string>();
    for (const table of await readTables(em, this.role, [...wanted.keys()], schema)) {
      const { schema: found, name, privileges, isInReach } = table;
      if (!isInReach) closed.add(found);
      const lacks = (wanted.get(name) ?? []).filter((privilege) => !privileges.includes(privilege));
      const kind = lacks.join(', ');
      if (kind) lacking.set(kind, [...(lacking.get(kind) ?? []), `${quoted(found)}.${quoted(name)}`]);
    }
    const role = quoted(this.role);
    for (const [privileges, tables] of lacking) {
      await patiently(() => em.execute(`grant ${privileges} on ${tables.join(', ')} to ${role}`));
    }
    for (const found of closed) await patiently(() => em.execute(`grant usage on schema ${quoted(found)} to ${role}`));
  }

  async #find({ orm, schema }: SecuredDatabase): Promise<string[]> {
    const wanted = tenantTablesOf(orm.getMetadata());
    const names = wanted.map(({ name }) => name);
    const role = await readRole(emOf(orm), this.role);
    if (!role) return [`The role "${this.role}" does not exist. Start the application once, which makes it.`];
    if (role.isSuperuser) return [...role.flaws];
    const found = new Map((await readTables(emOf(orm), this.role, names, schema)).map((table) => [table.name, table]));
    return [
      ...role.flaws,
      ...wanted.flatMap(({ name, column }) => {
        const table = found.get(name);
        return table ? findingsOf(table, column, this.role) : [`Table "${name}" is missing. Run the migrations.`];
      }),
    ];
  }
}

const emOf = (orm: MikroORM<AbstractSqlDriver>) => orm.em.fork() as SqlEntityManager;

const codeOf = (error: unknown) => (error as { code?: string }).code;

/** Tables of application work, and what it does with them. */
function wantedPrivileges(orm: MikroORM<AbstractSqlDriver>): Map<string, string[]> {
  const wanted = new Map<string, string[]>();
  for (const meta of orm.getMetadata().getAll().values()) {
    if (!meta.tableName || meta.virtual || meta.embeddable) continue;
    const writes = isAppendOnly(meta.class) ? ['insert'] : ['insert', 'update', 'delete'];
    wanted.set(meta.tableName, ['select', ...(isSharedByTenants(meta.class) ? [] : writes)]);
  }
  return wanted;
}

async function patiently(work: () => Promise<unknown>): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await work();
      return;
    } catch (error) {
      const isRace = RACES.has(String(codeOf(error)));
      if (isRace && codeOf(error) !== 'XX000') return;
      if (!isRace || attempt === ATTEMPTS) throw error;
    }
  }
}

function findingsOf(table: FoundTable, column: string, role: string): string[] {
  const name = `${quoted(table.schema)}.${quoted(table.name)}`;
  const findings: string[] = [];
  const find = (what: string, run: string) => findings.push(`Table ${name}: ${what}. Run: ${run}`);
  if (table.isOwned) find(`"${role}" owns it, or may act as its owner`, `alter table ${name} owner to <another role>`);
  if (!table.isEnabled) find('row-level security is off', `alter table ${name} enable row level security`);
  if (!table.isForced) find('its owner is not held to it', `alter table ${name} force row level security`);
  const wanted = tenantPolicies(column);
  for (const policy of wanted) {
    const found = table.policies.find((it) => it.name === policy.name);
    const create = createPolicySql(name, policy);
    if (!found)
      find(`policy "${policy.name}" is missing`, `${create} (in a migration: rowSecuritySql('${table.name}'))`);
    else if (!isSamePolicy(found, policy))
      find(`policy "${policy.name}" was changed`, `drop policy ${quoted(policy.name)} on ${name}; ${create}`);
  }
  for (const { name: extra, isPermissive } of table.policies) {
    if (isPermissive && !wanted.some((policy) => policy.name === extra))
      find(`policy "${extra}" lets more rows through`, `drop policy ${quoted(extra)} on ${name}`);
  }
  return findings;
}

function isSamePolicy(found: FoundTable['policies'][number], wanted: TenantPolicy): boolean {
  return (
    found.isPermissive &&
    found.isForEverybody &&
    found.command === wanted.command &&
    bare(found.using) === bare(wanted.using) &&
    bare(found.check) === bare(wanted.check)
  );
}

/** PostgreSQL gives an expression back with casts and brackets of its own. Nothing that they could hide is in ours. */
function bare(expression: string | null | undefined): string {
  return (expression ?? '').replaceAll('::text', '').replace(/[\s()"]/g, '');
}
