import { type Implication, NO_OUTPUTS, type Outputs, type Source, type TableRef } from './analysis.js';
import { isQuery, readArray, readCondition } from './condition.js';
import { readExpression } from './expression.js';
import { Refusal } from './refusal.js';
import { nameOf, type Scope } from './scope.js';
import { type Group, isOneOf, isOperator, isParentheses, splitByComma, type Token } from './token.js';

/** Tables that stand together in a FROM clause, and what the conditions between them prove. */
export interface Joined {
  readonly refs: readonly TableRef[];
  readonly implications: readonly Implication[];
}

const JOIN_WORDS = new Set(['join', 'inner', 'left', 'right', 'full', 'cross', 'natural', 'straight_join']);
/** Words that may follow a table and are not its alias. */
const NO_ALIAS = new Set([
  ...JOIN_WORDS,
  ...[
    'on',
    'using',
    'outer',
    'lateral',
    'use',
    'force',
    'ignore',
    'indexed',
    'not',
    'set',
    'as',
    'select',
    'values',
    'where',
  ],
]);
const HINT_WORDS = new Set(['use', 'force', 'ignore']);
const INDEX_WORDS = new Set(['index', 'key']);

/** Reads the tables of a FROM clause (or of an UPDATE) into `scope`. Whatever it does not understand is refused. */
export function readFrom(tokens: readonly Token[], scope: Scope): Joined {
  const parts = splitByComma(tokens).map((part) => new FromReader(part, scope).readJoins());
  return { refs: parts.flatMap(({ refs }) => refs), implications: parts.flatMap(({ implications }) => implications) };
}

class FromReader {
  #position = 0;

  constructor(
    private readonly tokens: readonly Token[],
    private readonly scope: Scope,
  ) {}

  readJoins(): Joined {
    let joined = this.#readTable();
    while (this.#position < this.tokens.length) joined = this.#readJoin(joined);
    return joined;
  }

  #peek(offset = 0): Token | undefined {
    return this.tokens[this.#position + offset];
  }

  #take(...words: string[]): boolean {
    const token = this.#peek();
    if (token?.kind !== 'word' || !words.includes(token.text)) return false;
    this.#position++;
    return true;
  }

  #readJoin(left: Joined): Joined {
    const isLeft = this.#take('left');
    if (isLeft) this.#take('outer');
    else this.#take('inner', 'cross');
    // Right and full joins keep rows that no condition has looked at; written the other way round they are left joins.
    if (!this.#take('join'))
      throw new Refusal('it has a join that is neither inner nor left, or a table is followed by something unknown');
    const right = this.#readTable();
    const on = this.#readOn(right, left);
    const refs = [...left.refs, ...right.refs];
    if (!isLeft) return { refs, implications: [...left.implications, ...right.implications, ...on] };
    // Rows of the left side stay when the condition fails: it proves something for the right side only.
    const proven = [...right.implications, ...on].filter(({ gives }) => right.refs.includes(gives));
    return { refs, implications: [...left.implications, ...proven] };
  }

  #readOn(right: Joined, left: Joined): Implication[] {
    if (this.#take('using')) return this.#readUsing(right, left);
    if (!this.#take('on')) return [];
    const start = this.#position;
    while (this.#position < this.tokens.length && !this.#startsJoin()) this.#position++;
    const condition = this.tokens.slice(start, this.#position);
    readExpression(condition, this.scope);
    return readCondition(condition, this.scope);
  }

  #startsJoin(): boolean {
    // `left(name, 2)` is a function.
    return isOneOf(this.#peek(), JOIN_WORDS) && !isParentheses(this.#peek(1));
  }

  /** `using (tenant_id, …)`: equal in the two tables next to it, where there is no choice which they are. */
  #readUsing(right: Joined, left: Joined): Implication[] {
    const columns = this.#peek();
    this.#position++;
    if (!isParentheses(columns)) throw new Refusal('a "using" in it names no columns');
    const [a, b] = [left.refs[0], right.refs[0]];
    if (left.refs.length !== 1 || right.refs.length !== 1 || !a?.table || !b?.table) return [];
    const names = splitByComma(columns.inner).map(([name]) => nameOf(name));
    if (!names.includes(a.table.tenantColumn) || !names.includes(b.table.tenantColumn)) return [];
    return [
      { needs: a, gives: b, slots: [] },
      { needs: b, gives: a, slots: [] },
    ];
  }

  #readTable(): Joined {
    this.#take('lateral');
    const group = this.#peek();
    if (!isParentheses(group)) return this.#single(this.#readNamed());
    this.#position++;
    if (isQuery(group)) return this.#single(this.#readDerived(group));
    return readFrom(group.inner, this.scope);
  }

  #single(ref: TableRef): Joined {
    this.scope.add(ref);
    return { refs: [ref], implications: [] };
  }

  #readDerived(group: Group): TableRef {
    const { outputs, correlated } = this.scope.reading.readQuery(group, this.scope);
    return this.#open(correlated ? NO_OUTPUTS : outputs);
  }

  #readNamed(): TableRef {
    this.#take('only');
    let name = this.#readName();
    let schema: string | undefined;
    if (isOperator(this.#peek(), '.')) {
      this.#position++;
      schema = name;
      name = this.#readName();
    }
    const group = this.#peek();
    if (isParentheses(group)) return this.#readRowFunction(name, schema, group);
    const view = schema === undefined ? this.scope.findView(name) : undefined;
    if (view) return this.#open(view, name);
    return this.#readTableOf(name, schema);
  }

  #readName(): string {
    const name = nameOf(this.#peek());
    if (name === undefined)
      throw new Refusal('a FROM in it holds something that is not a table, a sub-query or a function');
    this.#position++;
    return name;
  }

  #readTableOf(name: string, schema: string | undefined): TableRef {
    const { reading } = this.scope;
    const table = reading.catalogue.find(name);
    if (!table) throw new Refusal(`no entity is mapped to the table "${name}"`);
    if (schema === undefined) reading.bare.add(name);
    else if (!reading.catalogue.hasSchema(schema)) reading.schemas.add(schema);
    reading.reachesData = true;
    const { alias, columns } = this.#readAlias(name);
    // PostgreSQL would call any of its columns the tenant's.
    if (columns) throw new Refusal(`it gives other names to the columns of "${name}"`);
    this.#skipIndexHints();
    const { tenantColumn } = table;
    const scoped = tenantColumn === undefined ? undefined : { ...table, tenantColumn };
    return { alias, table: scoped, shared: !scoped, outputs: NO_OUTPUTS };
  }

  #readRowFunction(name: string, schema: string | undefined, group: Group): TableRef {
    if (schema !== undefined || !this.scope.reading.functions.mayGiveRows(name)) {
      throw new Refusal(
        `it reads from the function "${name}()". If that reads no tables, name it in the guard's option "functions"`,
      );
    }
    this.#position++;
    readExpression(group.inner, this.scope);
    const sources = name === 'unnest' ? splitByComma(group.inner).map(sourceOfArray) : [];
    return this.#open({ byName: new Map(), byPosition: sources }, name);
  }

  /** Something whose rows need no binding here. Names of its columns may be given behind its alias. */
  #open(outputs: Outputs, name?: string): TableRef {
    const { alias, columns } = this.#readAlias(name);
    return { alias, table: undefined, shared: false, outputs: columns ? renamed(outputs, columns) : outputs };
  }

  #readAlias(name?: string): { alias: string; columns?: readonly string[] } {
    const explicit = this.#take('as');
    const next = this.#peek();
    const isAlias = next && nameOf(next) !== undefined && (explicit || !isOneOf(next, NO_ALIAS));
    if (isAlias) this.#position++;
    const alias = isAlias ? (nameOf(next) as string) : name;
    const columns = this.#peek();
    if (!isAlias || !isParentheses(columns)) return { alias: alias ?? `#${this.#position}` };
    this.#position++;
    return {
      alias: alias as string,
      columns: splitByComma(columns.inner).map(([first]) => nameOf(first) ?? ''),
    };
  }

  /** `force index (name)`: no effect on which rows are found. */
  #skipIndexHints(): void {
    const { engine } = this.scope.reading;
    while (isOneOf(this.#peek(), HINT_WORDS) && isOneOf(this.#peek(1), INDEX_WORDS)) {
      if (engine !== 'mysql' && engine !== 'mariadb') throw new Refusal(`${engine} takes no index hints`);
      if (!isParentheses(this.#peek(2))) throw new Refusal('an index hint in it is not understood');
      this.#position += 3;
    }
  }
}

function sourceOfArray(argument: readonly Token[]): Source | undefined {
  const operand = readArray(argument);
  return operand.kind === 'source' ? operand.slots : undefined;
}

/** Outputs under the names of a column list, which go by position. */
export function renamed({ byPosition }: Outputs, columns: readonly string[]): Outputs {
  const known = columns.flatMap((column, index): [string, Source][] => {
    const source = byPosition[index];
    return source ? [[column, source]] : [];
  });
  return { byName: new Map(known), byPosition };
}
