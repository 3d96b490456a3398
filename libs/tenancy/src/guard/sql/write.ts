import type { EngineName } from '#libs/persistence';
import { NO_OUTPUTS, type Source, type TableRef } from './analysis.js';
import { isQuery } from './condition.js';
import { readExpression } from './expression.js';
import { type Joined, readFrom } from './from-clause.js';
import { cutClauses, readBlock, readQuery } from './query.js';
import { Refusal } from './refusal.js';
import { nameOf, type QueryResult, readOperand, type Scope } from './scope.js';
import { isOneOf, isOperator, isParentheses, isWord, splitByComma, type Token } from './token.js';

const RESULT: QueryResult = { outputs: NO_OUTPUTS, correlated: false };
/** What may stand between the first word of a writing statement and its table. */
const MODIFIERS = new Set([
  'or',
  'ignore',
  'replace',
  'abort',
  'fail',
  'rollback',
  'low_priority',
  'high_priority',
  'quick',
  'only',
]);
const CONFLICT_WORDS = new Set(['conflict', 'duplicate']);
const VALUES_WORDS = new Set(['values', 'value']);
const BEFORE_UPDATE = new Set(['do', 'key']);

/** Words of single products before the table, as the others would take them for a mistake in the SQL. */
const MODIFIERS_OF: Readonly<Record<string, readonly EngineName[]>> = {
  or: ['sqlite'],
  ignore: ['mysql', 'mariadb'],
  replace: ['sqlite', 'mysql', 'mariadb'],
};

/** @throws {Refusal} for an insert that this product does not have */
function assertKnownHere(tokens: readonly Token[], { reading }: Scope): void {
  for (const [index, { kind, text }] of tokens.entries()) {
    const engines = kind === 'word' ? MODIFIERS_OF[text] : undefined;
    // What follows `or` is SQLite's, as that is.
    if (!engines || engines.includes(reading.engine) || isWord(tokens[index - 1], 'or')) continue;
    throw new Refusal(
      `${reading.engine} has no INSERT with "${text}". Use bulkUpsert(), or em.upsert() with onConflictAction`,
    );
  }
}

function skipModifiers(tokens: readonly Token[], from: number): number {
  let at = from;
  while (isOneOf(tokens[at], MODIFIERS)) at++;
  return at;
}

/** A table that is written to, which all tenants of the database share, would be changed for all of them. */
function assertWritable(ref: TableRef | undefined): asserts ref is TableRef & { table: object } {
  if (!ref?.table)
    throw new Refusal(
      'it writes to something that is not a table of one tenant; shared rows are changed in migrations',
    );
}

/** Writes down that a table is written to, for whoever has rules about that. */
function noteWrite(ref: TableRef, scope: Scope, adds = false): void {
  assertWritable(ref);
  scope.reading.writes.push({ table: ref.table.name, adds });
}

function findTenantColumn(ref: TableRef): string {
  return ref.table?.tenantColumn ?? '';
}

// --- insert ----------------------------------------------------------------------------------------------------------

/** `insert into table [as alias] (columns) values … | query [on conflict …] [returning …]`. */
export function readInsert(tokens: readonly Token[], scope: Scope): QueryResult {
  let at = skipModifiers(tokens, 1);
  assertKnownHere(tokens.slice(0, at), scope);
  if (isWord(tokens[at], 'into')) at++;
  const columnsAt = tokens.findIndex((token, index) => index > at && isParentheses(token));
  const columns = tokens[columnsAt];
  if (!isParentheses(columns) || isQuery(columns)) throw new Refusal('it inserts without naming the columns');
  const inserted = readFrom(tokens.slice(at, columnsAt), scope.nest()).refs[0];
  assertWritable(inserted);
  const names = splitByComma(columns.inner).map(([name]) => nameOf(name));
  for (const name of names) refuseRowNumber(name, scope);
  const position = names.indexOf(findTenantColumn(inserted));
  if (position < 0 || names.lastIndexOf(findTenantColumn(inserted)) !== position) {
    throw new Refusal(`it inserts into "${inserted.table.name}" without the column "${inserted.table.tenantColumn}"`);
  }
  const rest = tokens.slice(columnsAt + 1);
  const conflictAt = rest.findIndex((token, index) => isWord(token, 'on') && isOneOf(rest[index + 1], CONFLICT_WORDS));
  const returningAt = rest.findIndex((token) => isWord(token, 'returning'));
  const end = [conflictAt, returningAt].filter((index) => index >= 0).reduce((a, b) => Math.min(a, b), rest.length);
  const isReplace =
    isWord(tokens[0], 'replace') || tokens.slice(0, columnsAt).some((token) => isWord(token, 'replace'));
  noteWrite(inserted, scope, !isReplace && conflictAt < 0);
  readInserted(rest.slice(0, end), names.length, position, scope);
  readConflict(rest.slice(end), inserted, scope);
  return RESULT;
}

/**
 * SQLite's hidden row number is a key without a tenant: "or replace" would delete whichever row has it.
 */
function refuseRowNumber(column: string | undefined, { reading }: Scope): void {
  if (reading.engine === 'sqlite' && column !== undefined && ['rowid', 'oid', '_rowid_'].includes(column)) {
    throw new Refusal(`it writes "${column}", by which rows of all tenants are told apart`);
  }
}

/** The rows themselves: each must carry the tenant in its place. */
function readInserted(tokens: readonly Token[], width: number, position: number, scope: Scope): void {
  if (isOneOf(tokens[0], VALUES_WORDS)) {
    for (const token of tokens.slice(1)) {
      if (isOperator(token, ',')) continue;
      if (!isParentheses(token)) throw new Refusal('the rows it inserts are not understood');
      const row = splitByComma(token.inner);
      if (row.length !== width) throw new Refusal('a row it inserts has more or fewer values than columns');
      readExpression(token.inner, scope);
      requireOwn(sourceOf(row[position] ?? [], scope), scope);
    }
    return;
  }
  const { outputs } = readQuery(tokens, scope.nest());
  requireOwn(outputs.byPosition[position], scope);
}

function requireOwn(source: Source | undefined, scope: Scope): void {
  if (!source) throw new Refusal('a row it writes gets its tenant from something else than the tenant itself');
  scope.reading.required.push(...source);
}

function sourceOf(expression: readonly Token[], scope: Scope): Source | undefined {
  const operand = readOperand(expression, scope);
  if (operand.kind === 'tenant') return [];
  return operand.kind === 'source' ? operand.slots : undefined;
}

/**
 * What happens to a row that exists. It belongs to the tenant, as every unique key of the model carries the tenant; it
 * must go on doing so.
 */
function readConflict(tokens: readonly Token[], inserted: TableRef, scope: Scope): void {
  const conflict = scope.nest();
  conflict.add({ ...inserted, outputs: NO_OUTPUTS });
  const proposed = { byName: new Map([[findTenantColumn(inserted), []]]), byPosition: [] };
  conflict.add({ alias: 'excluded', table: undefined, shared: false, outputs: proposed });
  readExpression(tokens, conflict);
  const update = tokens.findIndex(
    (token, index) => isWord(token, 'update') && isOneOf(tokens[index - 1], BEFORE_UPDATE),
  );
  if (update < 0) return;
  const { head = [] } = cutClauses(tokens.slice(update + 1), ['where', 'returning']);
  readAssignments(isWord(head[0], 'set') ? head.slice(1) : head, [inserted], conflict);
}

// --- update ----------------------------------------------------------------------------------------------------------

/** `update table set … [from …] [where …]`, or MySQL's `update a join b on … set … where …`. */
export function readUpdate(tokens: readonly Token[], scope: Scope): QueryResult {
  const start = skipModifiers(tokens, 1);
  const set = tokens.findIndex((token) => isWord(token, 'set'));
  if (set < 0) throw new Refusal('its UPDATE sets nothing');
  const target = readFrom(tokens.slice(start, set), scope);
  const clauses = cutClauses(tokens.slice(set + 1), ['from', 'where', 'returning', 'order', 'limit']);
  readBlock(clauses, scope, target);
  readAssignments(clauses.head ?? [], target.refs, scope);
  return { ...RESULT, correlated: scope.correlated };
}

/** `column = value, …`: a tenant's column may only be set to the tenant. */
function readAssignments(tokens: readonly Token[], targets: readonly TableRef[], scope: Scope): void {
  for (const ref of targets) noteWrite(ref, scope);
  for (const assignment of splitByComma(tokens)) {
    const at = assignment.findIndex((token) => isOperator(token, '='));
    const column = nameOf(assignment[at - 1]);
    if (column === undefined) throw new Refusal('it assigns to something that is not a column');
    refuseRowNumber(column, scope);
    if (!targets.some((ref) => findTenantColumn(ref) === column)) continue;
    const value = assignment.slice(at + 1);
    // `values(tenant_id)` is MySQL's name for the value that was to be inserted.
    if (isWord(value[0], 'values') && isParentheses(value[1]) && nameOf(value[1].inner[0]) === column) continue;
    requireOwn(sourceOf(value, scope), scope);
  }
}

// --- delete ----------------------------------------------------------------------------------------------------------

/** `delete from table [using …] [where …]`, or MySQL's `delete a from a join b on … where …`. */
export function readDelete(tokens: readonly Token[], scope: Scope): QueryResult {
  const start = skipModifiers(tokens, 1);
  const clauses = cutClauses(tokens.slice(start), ['from', 'using', 'where', 'returning', 'order', 'limit']);
  const { from = [], using = [], head = [], ...rest } = clauses;
  const target: Joined = readFrom(from, scope);
  const used = using.length > 0 ? readFrom(using, scope) : { refs: [], implications: [] };
  const named = splitByComma(head).flatMap((item) => nameOf(item[0]) ?? []);
  const written = named.length === 0 ? target.refs : named.map((name) => scope.findRef(name)?.ref);
  for (const ref of written) {
    assertWritable(ref);
    noteWrite(ref, scope);
  }
  readBlock(rest, scope, {
    refs: [...target.refs, ...used.refs],
    implications: [...target.implications, ...used.implications],
  });
  return { ...RESULT, correlated: scope.correlated };
}
