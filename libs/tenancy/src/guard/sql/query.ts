import { type Block, findUnbound, NO_OUTPUTS, type Outputs, type Source } from './analysis.js';
import { isQuery, readCondition } from './condition.js';
import { readExpression } from './expression.js';
import { type Joined, readFrom, renamed } from './from-clause.js';
import { readOutputs } from './outputs.js';
import { Refusal } from './refusal.js';
import { nameOf, type QueryResult, readOperand, type Scope } from './scope.js';
import { isOneOf, isOperator, isParentheses, isWord, splitByComma, type Token } from './token.js';
import { readDelete, readInsert, readUpdate } from './write.js';

const INSERT_WORDS = new Set(['insert', 'replace']);
const SET_WORDS = new Set(['union', 'except', 'intersect', 'minus']);
const QUANTIFIERS = new Set(['all', 'distinct']);

/** Reads a query or a writing statement. `scope` is its own; what stands around it is the scope's outer. */
export function readQuery(tokens: readonly Token[], scope: Scope): QueryResult {
  const [first] = tokens;
  if (isWord(first, 'with')) return readWith(tokens, scope);
  if (isOneOf(first, INSERT_WORDS)) return readInsert(tokens, scope);
  if (isWord(first, 'update')) return readUpdate(tokens, scope);
  if (isWord(first, 'delete')) return readDelete(tokens, scope);
  return readUnion(tokens, scope);
}

/** `with name (columns) as (query), … <main query>`. */
function readWith(tokens: readonly Token[], scope: Scope): QueryResult {
  let at = 1;
  const recursive = isWord(tokens[at], 'recursive');
  if (recursive) at++;
  let correlated = false;
  for (let more = true; more; ) {
    const name = nameOf(tokens[at++]);
    const columns = isParentheses(tokens[at]) ? tokens[at++] : undefined;
    if (name === undefined || !isWord(tokens[at++], 'as')) throw new Refusal('a WITH in it is not understood');
    if (isWord(tokens[at], 'not')) at++;
    if (isWord(tokens[at], 'materialized')) at++;
    const body = tokens[at++];
    if (!isParentheses(body)) throw new Refusal('a WITH in it is not understood');
    // A recursive body reads its own rows so far; they prove nothing.
    if (recursive) scope.addView(name, NO_OUTPUTS);
    const result = scope.reading.readQuery(body, scope);
    correlated ||= result.correlated;
    const outputs = result.correlated || recursive ? NO_OUTPUTS : result.outputs;
    const names = isParentheses(columns)
      ? splitByComma(columns.inner).map(([column]) => nameOf(column) ?? '')
      : undefined;
    scope.addView(name, names ? renamed(outputs, names) : outputs);
    more = isOperator(tokens[at], ',');
    if (more) at++;
  }
  const result = readQuery(tokens.slice(at), scope);
  return { outputs: result.outputs, correlated: correlated || result.correlated };
}

/** Queries between UNION and its like. Each binds its own tables; a column is proven where all of them prove it. */
function readUnion(tokens: readonly Token[], scope: Scope): QueryResult {
  const parts: Token[][] = [[]];
  for (const token of tokens) {
    const isStart = parts[parts.length - 1]?.length === 0 && parts.length > 1;
    if (isOneOf(token, SET_WORDS)) parts.push([]);
    else if (!(isStart && isOneOf(token, QUANTIFIERS))) parts[parts.length - 1]?.push(token);
  }
  // Each part has tables of its own, and common table expressions are visible in all.
  const results = parts.map((part) => readPart(part, parts.length === 1 ? scope : scope.nest()));
  return { outputs: commonOf(results.map(({ outputs }) => outputs)), correlated: results.some((it) => it.correlated) };
}

function commonOf([first = NO_OUTPUTS, ...others]: readonly Outputs[]): Outputs {
  if (others.length === 0) return first;
  const byPosition = first.byPosition.map((source, index) => {
    const sources = [source, ...others.map((other) => other.byPosition[index])];
    return sources.every((it): it is Source => it !== undefined) ? sources.flat() : undefined;
  });
  // Names are those of the first part; they stand for positions, so they are known where the positions are.
  const byName = [...first.byName].flatMap(([name, source]): [string, Source][] => {
    const common = byPosition[first.byPosition.indexOf(source)];
    return common ? [[name, common]] : [];
  });
  return { byName: new Map(byName), byPosition };
}

function readPart(tokens: readonly Token[], scope: Scope): QueryResult {
  const [first, ...rest] = tokens;
  if (isParentheses(first) && isQuery(first)) {
    readExpression(rest, scope);
    return scope.reading.readQuery(first, scope);
  }
  if (isWord(first, 'values')) return readValues(rest, scope);
  if (!isWord(first, 'select'))
    throw new Refusal('only SELECT, INSERT, UPDATE, DELETE and transactions are sent by applications');
  return readSelect(tokens, scope);
}

/** `values (…), (…)`: columns are called column1, column2, … */
function readValues(tokens: readonly Token[], scope: Scope): QueryResult {
  readExpression(tokens, scope);
  const rows = splitByComma(tokens).map(([row]) => (isParentheses(row) ? splitByComma(row.inner) : []));
  const byPosition = (rows[0] ?? []).map((_, index): Source | undefined => {
    const operands = rows.map((row) => readOperand(row[index] ?? [], scope));
    return operands.every((operand) => operand.kind === 'source') ? operands.flatMap(({ slots }) => slots) : undefined;
  });
  const names = byPosition.map((_, index) => `column${index + 1}`);
  return { outputs: renamed({ byName: new Map(), byPosition }, names), correlated: false };
}

/** Words that start the clauses of a SELECT, in their order. */
export const CLAUSES = [
  'from',
  'where',
  'group',
  'having',
  'window',
  'order',
  'limit',
  'offset',
  'fetch',
  'for',
  'lock',
];
type Clauses = Readonly<Record<string, readonly Token[]>>;

/**
 * Cuts a query at the words that start its clauses. Some of them are ordinary names in some products, so their order and
 * the form of the last ones are checked: a cut in the wrong place is refused.
 */
export function cutClauses(tokens: readonly Token[], words: readonly string[]): Clauses {
  const clauses: Record<string, Token[]> = { head: [] };
  let current = clauses.head as Token[];
  let last = -1;
  for (const [index, token] of tokens.entries()) {
    const order = startsClause(token, index, tokens) ? words.indexOf(token.text) : -1;
    if (order < 0) {
      current.push(token);
      continue;
    }
    const word = token.text;
    if (order <= last && !TAIL.includes(word)) throw new Refusal(`its clauses are out of order at "${word}"`);
    last = Math.max(last, order);
    clauses[word] ??= [];
    current = clauses[word];
    if (TAIL.includes(word)) current.push(token);
  }
  for (const word of TAIL) for (const token of clauses[word] ?? []) refuseInTail(token);
  for (const word of NAMES_ELSEWHERE) for (const token of clauses[word] ?? []) refuseCondition(token);
  return clauses;
}

/** A word may be part of a name (`t.limit`), and the "from" of "is distinct from" starts nothing. */
function startsClause(token: Token, index: number, tokens: readonly Token[]): boolean {
  if (token.kind !== 'word' || isOperator(tokens[index - 1], '.') || isOperator(tokens[index + 1], '.')) return false;
  const isDistinctFrom =
    token.text === 'from' &&
    isWord(tokens[index - 1], 'distinct') &&
    (isWord(tokens[index - 2], 'is') || isWord(tokens[index - 2], 'not'));
  return !isDistinctFrom;
}

const TAIL = ['limit', 'offset', 'fetch', 'for', 'lock'];
const NAMES_ELSEWHERE = ['window', 'returning'];
const CONDITION_WORDS = new Set(['and', 'or', 'not', 'where', 'from', 'is', 'like', 'between', 'union', 'select']);

/** Limits and locks are numbers and a few words; anything that could go on as a condition is not. */
function refuseInTail(token: Token): void {
  refuseCondition(token);
  const isPunctuation = [',', '.', '::', '-'].some((text) => isOperator(token, text));
  if (token.kind === 'group' || token.kind === 'string' || (token.kind === 'operator' && !isPunctuation)) {
    throw new Refusal('its limit or lock clause is not understood');
  }
}

function refuseCondition(token: Token): void {
  if (isOneOf(token, CONDITION_WORDS))
    throw new Refusal('it goes on after its condition in a way that is not understood');
}

/** Prefixes of a list of columns that MySQL and MariaDB know; elsewhere they would be columns that nobody has. */
const PREFIXES = new Set([
  'high_priority',
  'sql_big_result',
  'sql_buffer_result',
  'sql_cache',
  'sql_calc_found_rows',
  'sql_no_cache',
  'sql_small_result',
  'straight_join',
]);

function refusePrefix(tokens: readonly Token[], { reading }: Scope): void {
  const [, first] = tokens;
  if (!isOneOf(first, PREFIXES) || reading.engine === 'mysql' || reading.engine === 'mariadb') return;
  throw new Refusal(`${reading.engine} has no SELECT with "${first.text}"`);
}

function readSelect(tokens: readonly Token[], scope: Scope): QueryResult {
  refusePrefix(tokens, scope);
  const clauses = cutClauses(tokens.slice(1), CLAUSES);
  const block = readBlock(clauses, scope);
  bindToMember(block, clauses, scope);
  return { outputs: readOutputs(clauses.head ?? [], scope), correlated: scope.correlated };
}

/**
 * `(a.tenant_id, a.id) in (select b.tenant_id, b.id from b …)` asks only for rows of b whose tenant is that of a, like
 * `exists (… where b.tenant_id = a.tenant_id)`. MikroORM writes the former. It holds for plain columns of plain rows: a
 * limit or an aggregate would look at everybody's rows first, and a row that a left join leaves empty turns `not in` into
 * neither true nor false.
 */
function bindToMember(block: Block, clauses: Clauses, scope: Scope): void {
  const [first] = block.refs;
  if (!scope.member || !first?.table || findUnbound(block, () => true).length === 0) return;
  if (Object.keys(clauses).some((word) => !['head', 'from', 'where', 'order'].includes(word))) return;
  const columns = splitByComma(clauses.head ?? []).map((item) => readOperand(item, scope));
  const isPlain = (clauses.head ?? []).every(
    (token) => nameOf(token) !== undefined || isOperator(token, '.') || isOperator(token, ','),
  );
  const wanted = scope.member.kind === 'row' ? scope.member.items : [scope.member];
  if (!isPlain || columns.length !== wanted.length) return;
  for (const [index, column] of columns.entries()) {
    const member = wanted[index];
    if (column.kind !== 'tenant' || column.ref !== first || member?.kind !== 'tenant') continue;
    block.implications.push({ needs: undefined, gives: first, slots: [] });
    scope.correlated = true;
  }
}

/** Reads tables and condition of a query, and everything else of it for what may hide there. */
export function readBlock(clauses: Clauses, scope: Scope, target: Joined = { refs: [], implications: [] }): Block {
  const from = clauses.from ? readFrom(clauses.from, scope) : { refs: [], implications: [] };
  const where = clauses.where ? readCondition(clauses.where, scope) : [];
  for (const [word, tokens] of Object.entries(clauses)) if (word !== 'from') readExpression(tokens, scope);
  const refs = [...target.refs, ...from.refs];
  const block = { refs, implications: [...target.implications, ...from.implications, ...where] };
  scope.reading.blocks.push(block);
  return block;
}
