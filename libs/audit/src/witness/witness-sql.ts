import type { MetadataStorage } from '@mikro-orm/core';
import { type WitnessedTable, witnessedTablesOf } from './witnessed-tables.js';

const SCHEMA = 'audit_witness';
const TRIGGER = 'audit_witness';

const name = (text: string) => `"${text.replaceAll('"', '""')}"`;
const literal = (text: string) => `'${text.replaceAll("'", "''")}'`;

/**
 * Runs when a transaction that changed a row commits, and looks for the row's entry. An entry is of this transaction when
 * it can be seen although what wrote it is still in progress, or began after the snapshot: that holds in savepoints, too,
 * which have numbers of their own, all of them later than the transaction's. The tenant's policies are in force
 * for the owner as well, so the row's tenant is named for the look, and unnamed again.
 *
 * Rows that a move copies or clears away have their entries in other transactions. A move is told by what it says of itself and
 * by the fence around the tenant's rows in this table: while that stands, nobody else writes them, and no writer of rows can
 * make one.
 */
const NOTICE = `
create or replace function ${SCHEMA}.notice() returns trigger language plpgsql security definer set search_path = pg_catalog as $notice$
declare
  written jsonb := case when tg_op = 'DELETE' then to_jsonb(old) else to_jsonb(new) end;
  ignored text[] := tg_argv[3]::text[];
  named text := current_setting('rowhouse.tenant_id', true);
  moved text := current_setting('rowhouse.fence', true);
  recorded boolean;
begin
  if moved = written ->> tg_argv[0] and exists (select from pg_trigger
    where tgrelid = tg_relid and tgname like 'fence\\_%' and strpos(pg_get_triggerdef(oid), moved) > 0) then
    return null;
  end if;
  if tg_op = 'UPDATE' and to_jsonb(old) - ignored = to_jsonb(new) - ignored then
    return null;
  end if;
  perform set_config('rowhouse.tenant_id', written ->> tg_argv[0], true);
  execute format('select exists (select from %I.audit_entry e where e.tenant_id = $1 and e.entity_id = $2
    and e.entity_name = any($3) and case
      when ($4 >> 32 << 32) + e.xmin::text::bigint < $4 then false
      when ($4 >> 32 << 32) + e.xmin::text::bigint >= $5 then true
      else pg_xact_status((($4 >> 32 << 32) + e.xmin::text::bigint)::text::xid8) = ''in progress'' end)', tg_table_schema)
    into recorded using (written ->> tg_argv[0])::uuid, written ->> tg_argv[1], tg_argv[2]::text[],
      pg_current_xact_id()::text::bigint, pg_snapshot_xmax(pg_current_snapshot())::text::bigint;
  perform set_config('rowhouse.tenant_id', coalesce(named, ''), true);
  if not recorded then
    insert into ${SCHEMA}.unrecorded (tenant_id, schema_name, table_name, entity_names, entity_id, operation)
    values ((written ->> tg_argv[0])::uuid, tg_table_schema, tg_table_name, tg_argv[2]::text[], written ->> tg_argv[1], lower(tg_op));
  end if;
  return null;
end $notice$`;

/** A truncated table has no rows left to look at. */
const NOTICE_TRUNCATE = `
create or replace function ${SCHEMA}.notice_truncate() returns trigger language plpgsql security definer set search_path = pg_catalog as $notice$
begin
  insert into ${SCHEMA}.unrecorded (schema_name, table_name, entity_names, operation)
  values (tg_table_schema, tg_table_name, tg_argv[0]::text[], 'truncate');
  return null;
end $notice$`;

const TABLE = `
create table if not exists ${SCHEMA}.unrecorded (
  id bigint generated always as identity primary key,
  at timestamptz(3) not null default clock_timestamp(),
  tenant_id uuid,
  schema_name text not null,
  table_name text not null,
  entity_names text[] not null,
  entity_id text,
  operation text not null,
  db_user text not null default session_user,
  application text default current_setting('application_name', true),
  address inet default inet_client_addr()
)`;

/**
 * DDL that puts witnesses on the tables of audited classes, on PostgreSQL: deferred triggers which, when a transaction
 * commits, note every changed row that has no entry in that transaction, whoever changed it, in
 * `audit_witness.unrecorded`. May run again, after tables have changed. Run it as the owner of the tables.
 *
 * @param schema  where the tables are; default `public`
 */
export function witnessSql(metadata: MetadataStorage, schema = 'public'): readonly string[] {
  return [
    `create schema if not exists ${SCHEMA}`,
    TABLE,
    `create index if not exists unrecorded_tenant on ${SCHEMA}.unrecorded (tenant_id, at)`,
    NOTICE,
    NOTICE_TRUNCATE,
    ...witnessedTablesOf(metadata).flatMap((table) => [...dropFrom(schema, table), ...createOn(schema, table)]),
  ];
}

/** Takes the witnesses away again. What they have noted stays. */
export function dropWitnessSql(metadata: MetadataStorage, schema = 'public'): readonly string[] {
  return witnessedTablesOf(metadata).flatMap((table) => dropFrom(schema, table));
}

function createOn(
  schema: string,
  { name: table, tenantColumn, idColumn, entityNames, ignoredColumns }: WitnessedTable,
) {
  const on = `${name(schema)}.${name(table)}`;
  const names = literal(arrayOf(entityNames));
  const args = [literal(tenantColumn), literal(idColumn), names, literal(arrayOf(ignoredColumns))];
  return [
    `create constraint trigger ${TRIGGER} after insert or update or delete on ${on} deferrable initially deferred for each row execute function ${SCHEMA}.notice(${args.join(', ')})`,
    `create trigger ${TRIGGER}_truncate after truncate on ${on} for each statement execute function ${SCHEMA}.notice_truncate(${names})`,
  ];
}

function dropFrom(schema: string, { name: table }: WitnessedTable): string[] {
  const on = `${name(schema)}.${name(table)}`;
  return [`drop trigger if exists ${TRIGGER} on ${on}`, `drop trigger if exists ${TRIGGER}_truncate on ${on}`];
}

const arrayOf = (items: readonly string[]) => `{${items.map((item) => JSON.stringify(item)).join(',')}}`;
