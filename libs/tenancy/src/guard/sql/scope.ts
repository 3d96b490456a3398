import type { EngineName } from '#libs/persistence';
import type { Block, Outputs, Slot, Source, TableRef, Write } from './analysis.js';
import type { Catalogue } from './catalogue.js';
import type { AllowedFunctions } from './functions.js';
import { Refusal } from './refusal.js';
import { type Group, isOneOf, isOperator, isParentheses, isWord, splitByComma, type Token } from './token.js';

/** What the parts of the reader share while they read one statement. */
export interface Reading {
  readonly engine: EngineName;
  readonly catalogue: Catalogue;
  readonly functions: AllowedFunctions;
  readonly required: Slot[];
  readonly blocks: Block[];
  readonly schemas: Set<string>;
  /** Tables named without a schema. */
  readonly bare: Set<string>;
  readonly writes: Write[];
  /** Set once any table is named. */
  reachesData: boolean;
  /**
   * Reads a query in brackets, once however often it is asked for.
   * @param member what is looked for in its rows, where it stands behind `in`
   */
  readQuery(group: Group, scope: Scope, member?: Operand): QueryResult;
}

/** What a query means to the one around it. */
export interface QueryResult {
  readonly outputs: Outputs;
  /**
   * Whether it is bound through a table of the query around it. It then proves nothing to that query: the two would prove
   * each other.
   */
  readonly correlated: boolean;
}

/** Names visible at one place of a statement. */
export class Scope {
  readonly #refs = new Map<string, TableRef>();
  readonly #views = new Map<string, Outputs>();
  /** Set when a condition of this query relied on a table of an outer one. */
  correlated = false;

  constructor(
    readonly reading: Reading,
    readonly outer?: Scope,
    /** What the query around this one looks for in its rows. */
    readonly member?: Operand,
  ) {}

  /** A scope for a query inside this one. */
  nest(member?: Operand): Scope {
    return new Scope(this.reading, this, member);
  }

  get refs(): readonly TableRef[] {
    return [...this.#refs.values()];
  }

  add(ref: TableRef): TableRef {
    if (this.#refs.has(ref.alias)) throw new Refusal(`two tables in it are called "${ref.alias}"; give them aliases`);
    this.#refs.set(ref.alias, ref);
    return ref;
  }

  /** Registers a common table expression. */
  addView(name: string, outputs: Outputs): void {
    this.#views.set(name, outputs);
  }

  findView(name: string): Outputs | undefined {
    return this.#views.get(name) ?? this.outer?.findView(name);
  }

  /** The table that is called `alias` here, and whether it belongs to this query itself. */
  findRef(alias: string): { ref: TableRef; own: boolean } | undefined {
    const ref = this.#refs.get(alias);
    if (ref) return { ref, own: true };
    const outer = this.outer?.findRef(alias);
    return outer && { ref: outer.ref, own: false };
  }

  /** The table that a column without a table's name belongs to: known only where there is no choice. */
  findOnlyRef(): { ref: TableRef; own: boolean } | undefined {
    const [ref, ...others] = this.#refs.values();
    return ref && others.length === 0 ? { ref, own: true } : undefined;
  }
}

/** What an operand of a comparison is known to be. */
export type Operand =
  | { readonly kind: 'tenant'; readonly ref: TableRef; readonly own: boolean }
  | { readonly kind: 'source'; readonly slots: Source }
  | { readonly kind: 'row'; readonly items: readonly Operand[] }
  | { readonly kind: 'unknown' };

const UNKNOWN: Operand = { kind: 'unknown' };

/**
 * Types a tenant id may be cast to without becoming another value. On PostgreSQL only: SQLite makes a number of
 * `cast('0190…' as uuid)`, and `char` alone is one character in some products.
 */
const FAITHFUL_TYPES = new Set(['uuid', 'text', 'varchar']);

/** Name of an identifier, in the spelling that catalogue and scopes compare. */
export function nameOf(token: Token | undefined): string | undefined {
  return token?.kind === 'word' || token?.kind === 'quoted' ? token.text : undefined;
}

/** Reads one side of a comparison. Anything but a plain value or column is `unknown`: it proves nothing. */
export function readOperand(tokens: readonly Token[], scope: Scope): Operand {
  const [first, second] = tokens;
  if (tokens.length === 1) {
    if (first?.kind === 'string') return { kind: 'source', slots: [{ literal: first.text }] };
    if (first?.kind === 'parameter') return { kind: 'source', slots: [{ parameter: first.index }] };
    if (isParentheses(first)) return readRow(first, scope);
  }
  const cast = tokens.findIndex((token) => isOperator(token, '::'));
  if (cast > 0) return isFaithful(tokens.slice(cast + 1), scope) ? readOperand(tokens.slice(0, cast), scope) : UNKNOWN;
  if (tokens.length === 2 && isWord(first, 'cast') && isParentheses(second)) return readCast(second, scope);
  return readColumn(tokens, scope);
}

function isFaithful(type: readonly Token[], scope: Scope): boolean {
  return scope.reading.engine === 'postgresql' && type.length === 1 && isOneOf(type[0], FAITHFUL_TYPES);
}

function readCast({ inner }: Group, scope: Scope): Operand {
  const as = inner.findIndex((token) => isWord(token, 'as'));
  return as > 0 && isFaithful(inner.slice(as + 1), scope) ? readOperand(inner.slice(0, as), scope) : UNKNOWN;
}

function readRow({ inner }: Group, scope: Scope): Operand {
  const items = splitByComma(inner);
  const [only] = items;
  if (items.length === 1 && only) return readOperand(only, scope);
  return { kind: 'row', items: items.map((item) => readOperand(item, scope)) };
}

/** `column`, `alias.column` or `schema.table.column`. */
function readColumn(tokens: readonly Token[], scope: Scope): Operand {
  if (tokens.length % 2 === 0 || tokens.length > 5) return UNKNOWN;
  const names: string[] = [];
  for (const [index, token] of tokens.entries()) {
    const name = nameOf(token);
    if (index % 2 === 1 ? !isOperator(token, '.') : name === undefined) return UNKNOWN;
    if (name !== undefined) names.push(name);
  }
  const column = names[names.length - 1] as string;
  const found = names.length === 1 ? scope.findOnlyRef() : scope.findRef(names[names.length - 2] as string);
  if (!found) return UNKNOWN;
  const { ref, own } = found;
  if (ref.table && column === ref.table.tenantColumn) return { kind: 'tenant', ref, own };
  const source = ref.outputs.byName.get(column);
  return source ? { kind: 'source', slots: source } : UNKNOWN;
}
