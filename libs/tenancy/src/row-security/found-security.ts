import type { SqlEntityManager } from '@mikro-orm/sql';

/** One table as the database protects it. */
export interface FoundTable {
  readonly schema: string;
  readonly name: string;
  readonly isEnabled: boolean;
  readonly isForced: boolean;
  /** Whether the role is its owner, or may become it. */
  readonly isOwned: boolean;
  /** Whether the role may use its schema at all. */
  readonly isInReach: boolean;
  /** What the role may do with it. */
  readonly privileges: readonly string[];
  readonly policies: readonly FoundPolicy[];
}

export interface FoundPolicy {
  readonly name: string;
  readonly command: string;
  readonly isPermissive: boolean;
  readonly isForEverybody: boolean;
  readonly using: string | null;
  readonly check: string | null;
}

/** A role that exists. */
export interface FoundRole {
  /** Whom nothing holds: what else it may do follows from that. */
  readonly isSuperuser: boolean;
  /** What it could use to go round policies; one sentence each. */
  readonly flaws: readonly string[];
}

const PRIVILEGES = ['select', 'insert', 'update', 'delete'];

const TABLES = `
  select n.nspname as "schema", c.relname as "name", c.relrowsecurity as "isEnabled", c.relforcerowsecurity as "isForced",
    pg_has_role(r.oid, c.relowner, 'member') as "isOwned",
    has_schema_privilege(r.oid, n.oid, 'usage') as "isInReach",
    array_to_json(array(select p from unnest(?::text[]) as p where has_table_privilege(r.oid, c.oid, p))) as "privileges",
    array_to_json(array(select json_build_object('name', p.polname, 'command', p.polcmd, 'isPermissive', p.polpermissive,
      'isForEverybody', p.polroles = '{0}', 'using', pg_get_expr(p.polqual, c.oid), 'check', pg_get_expr(p.polwithcheck, c.oid))
      from pg_policy p where p.polrelid = c.oid)) as "policies"
  from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_roles r on r.rolname = ?
  where n.nspname = coalesce(?::text, current_schema()) and c.relkind in ('r', 'p') and c.relname = any(?::text[])`;

const ROLE = `
  select r.rolsuper as "isSuperuser", r.rolbypassrls as "mayBypass",
    (select string_agg(o.rolname, ', ') from pg_roles o
     where (o.rolsuper or o.rolbypassrls) and o.oid <> r.oid and pg_has_role(r.oid, o.oid, 'member')) as "reaches"
  from pg_roles r where r.rolname = ?`;

const COMMANDS: Readonly<Record<string, string>> = { '*': 'all', r: 'select', a: 'insert', w: 'update', d: 'delete' };

const arrayOf = (names: readonly string[]) => `{${names.map((name) => JSON.stringify(name)).join(',')}}`;

/** The tables of these names in a schema, default the current one. None when `role` does not exist. */
export async function readTables(
  em: SqlEntityManager,
  role: string,
  names: readonly string[],
  schema?: string,
): Promise<FoundTable[]> {
  const found = await em.execute<FoundTable[]>(TABLES, [arrayOf(PRIVILEGES), role, schema ?? null, arrayOf(names)]);
  return found.map((table) => ({
    ...table,
    policies: table.policies.map((policy) => ({ ...policy, command: COMMANDS[policy.command] ?? policy.command })),
  }));
}

/** `undefined` when there is no such role. */
export async function readRole(em: SqlEntityManager, role: string): Promise<FoundRole | undefined> {
  const [found] = await em.execute<{ isSuperuser: boolean; mayBypass: boolean; reaches: string | null }[]>(ROLE, [
    role,
  ]);
  if (!found) return undefined;
  const { isSuperuser } = found;
  if (isSuperuser) {
    return { isSuperuser, flaws: [`The role "${role}" is a superuser. Run: alter role "${role}" nosuperuser`] };
  }
  const flaws: string[] = [];
  if (found.mayBypass) flaws.push(`The role "${role}" bypasses policies. Run: alter role "${role}" nobypassrls`);
  if (found.reaches) {
    flaws.push(`The role "${role}" may act as ${found.reaches}. Run: revoke ${found.reaches} from "${role}"`);
  }
  return { isSuperuser, flaws };
}

/** Whether the user of the connection may become this role: a superuser may any, others one that they are a member of. */
export async function mayTakeRole(em: SqlEntityManager, role: string): Promise<boolean> {
  const sql = `select rolsuper or pg_has_role(current_user, ?, 'usage') as "mayTake" from pg_roles where rolname = current_user`;
  const [found] = await em.execute<{ mayTake: boolean }[]>(sql, [role]);
  return found?.mayTake === true;
}
