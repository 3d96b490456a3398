import type { EngineName } from '#libs/persistence';
import { tellsTenant } from './across.js';
import { type Analysis, type Block, findUnbound, type Slot, type Write } from './analysis.js';
import type { Catalogue } from './catalogue.js';
import type { AllowedFunctions } from './functions.js';
import { HiddenParameter, type ParameterStyle, readTokens } from './lexer.js';
import { readQuery } from './query.js';
import { Refusal } from './refusal.js';
import { type Operand, type QueryResult, type Reading, Scope } from './scope.js';
import { type Group, isOperator, isWord, type Token } from './token.js';

/** What a reader of statements must know of the database. */
export interface ReaderOptions {
  readonly engine: EngineName;
  readonly catalogue: Catalogue;
  readonly functions: AllowedFunctions;
  /** Tables need no tenant. For work across tenants, which answers for what it reads in another way. */
  readonly unbound?: boolean;
}

const name = '(?:"[^"]+"|`[^`]+`|\\w+)';
const mode =
  '(?:isolation level (?:read uncommitted|read committed|repeatable read|serializable)|read only|read write)';
// MySQL wants a comma between them, Kysely writes none for PostgreSQL.
const modes = `${mode}(?:(?:, ?| )${mode})*`;
/** What begins and ends transactions, in every spelling of MikroORM and Kysely and no other. */
const TRANSACTION_CONTROL = new RegExp(
  '^(?:begin(?: (?:deferred|immediate|exclusive|transaction))?|commit|rollback' +
    `|savepoint ${name}|release (?:savepoint )?${name}|rollback to (?:savepoint )?${name}` +
    `|(?:start|set) transaction(?: ${modes})?|begin ${modes})$`,
  'i',
);
/** MikroORM asks MySQL once how far apart generated keys are. */
const HARMLESS = "show variables like 'auto_increment_increment'";

const NEUTRAL: Analysis = {
  reachesData: false,
  schemas: new Set(),
  bare: new Set(),
  required: [],
  blocks: [],
  writes: [],
  everySlot: [],
};

/** Whether the statement only steers a transaction. Allowed always: a connection must not be left inside one. */
export function isTransactionControl(sql: string): boolean {
  return sql.length < 120 && TRANSACTION_CONTROL.test(sql);
}

/**
 * Reads one statement as far as isolation is concerned: which tables it reaches, what binds their rows to a tenant, and
 * where the tenant's id has to stand.
 *
 * Every table must be known, and every table with an owner must be bound in the query that names it: by
 * `tenant_id = <value>` among the top-level conjuncts of its WHERE or ON, or by equality with something bound. New rows
 * must name their tenant. What is not understood is refused; the reader knows no guess.
 *
 * @returns `undefined` when the statement cannot be read before its values are in it (only with `question-marks`)
 */
export function analyse(sql: string, options: ReaderOptions, style: ParameterStyle = 'native'): Analysis | undefined {
  if (isTransactionControl(sql) || sql === HARMLESS) return NEUTRAL;
  try {
    return new StatementReader(options).read(readTokens(sql, options.engine, style));
  } catch (error) {
    if (error instanceof HiddenParameter) return undefined;
    if (error instanceof Refusal) return { ...NEUTRAL, refusal: error.reason };
    throw error;
  }
}

class StatementReader implements Reading {
  readonly engine: EngineName;
  readonly catalogue: Catalogue;
  readonly functions: AllowedFunctions;
  readonly required: Slot[] = [];
  readonly blocks: Block[] = [];
  readonly schemas = new Set<string>();
  readonly bare = new Set<string>();
  readonly writes: Write[] = [];
  reachesData = false;
  readonly #unbound: boolean;
  readonly #results = new Map<Group, QueryResult>();

  constructor(options: ReaderOptions) {
    this.engine = options.engine;
    this.catalogue = options.catalogue;
    this.functions = options.functions;
    this.#unbound = options.unbound ?? false;
  }

  read(tokens: readonly Token[]): Analysis {
    const end = isOperator(tokens[tokens.length - 1], ';') ? tokens.length - 1 : tokens.length;
    const [query, scope] = [tokens.slice(0, end), new Scope(this)];
    const { outputs } = readQuery(query, scope);
    const { reachesData, schemas, bare, required, blocks, writes } = this;
    if (this.#unbound) {
      const told = isWord(query[0], 'select') && tellsTenant(query, scope, outputs, blocks);
      return { reachesData, schemas, bare, required, blocks, writes, everySlot: [], tellsTenant: told };
    }
    const slots = blocks.flatMap(({ implications }) => implications.flatMap((implication) => implication.slots));
    const everySlot = distinct([...required, ...slots]);
    return { reachesData, schemas, bare, required, blocks: blocks.filter(needsBinding), writes, everySlot };
  }

  readQuery(group: Group, scope: Scope, member?: Operand): QueryResult {
    const known = this.#results.get(group);
    if (known) return known;
    const result = readQuery(group.inner, scope.nest(member));
    this.#results.set(group, result);
    return result;
  }
}

function needsBinding(block: Block): boolean {
  const [unbound] = findUnbound(block, () => true);
  if (unbound?.table) {
    const { alias, table } = unbound;
    const called = alias === table.name ? `"${table.name}"` : `"${table.name}" (as "${alias}")`;
    throw new Refusal(
      `nothing binds ${called} to one tenant. Add "${alias}.${table.tenantColumn} = <the tenant's id>" to its condition`,
    );
  }
  return block.refs.some((ref) => ref.table);
}

function distinct(slots: readonly Slot[]): Slot[] {
  return [...new Map(slots.map((slot) => [Object.entries(slot).join(), slot])).values()];
}
