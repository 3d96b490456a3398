import type { Implication, Slot, TableRef } from './analysis.js';
import { Refusal } from './refusal.js';
import { type Operand, readOperand, type Scope } from './scope.js';
import { type Group, isOneOf, isOperator, isParentheses, isWord, splitBy, splitByComma, type Token } from './token.js';

const QUERY_WORDS = new Set(['select', 'with', 'values', 'insert', 'update', 'delete', 'table']);
const OPEN_ENDS = new Set(['and', 'or', 'not', 'like', 'in', 'between']);
const ARRAY_TYPES = new Set(['uuid', 'text']);

/** Whether the brackets hold a query rather than an expression. */
export function isQuery(group: Group): boolean {
  const [first] = group.inner;
  return isOneOf(first, QUERY_WORDS) || (isParentheses(first) && isQuery(first));
}

/**
 * What a condition proves about the tenant of the tables in it. Only what holds for every row that meets the condition
 * counts: conjuncts of the top level, and what all branches of an "or" have in common. Everything it does not understand
 * proves nothing.
 */
export function readCondition(tokens: readonly Token[], scope: Scope): Implication[] {
  refuseDangling(tokens);
  // Its precedence lies between "and" and "or", and nobody uses it.
  if (tokens.some((token) => isWord(token, 'xor'))) return [];
  const branches = splitBy(tokens, (token) => isWord(token, 'or'));
  if (branches.length > 1) return commonOf(branches.map((branch) => readCondition(branch, scope)));
  return splitConjuncts(tokens).flatMap((conjunct) => readConjunct(conjunct, scope));
}

/**
 * A word such as `offset` starts a clause in one product and is a column's name in another. A condition that ends in the
 * middle of an expression was cut at such a word, and what looks like conjuncts of it may be something else.
 */
function refuseDangling(tokens: readonly Token[]): void {
  const last = tokens[tokens.length - 1];
  const dangles = !last || isOneOf(last, OPEN_ENDS) || last.kind === 'operator';
  if (dangles) throw new Refusal('a condition in it ends in the middle');
}

/** Pieces between "and", where the "and" of "between … and …" is none. */
function splitConjuncts(tokens: readonly Token[]): (readonly Token[])[] {
  let betweens = 0;
  return splitBy(tokens, (token) => {
    if (isWord(token, 'between')) betweens++;
    if (!isWord(token, 'and')) return false;
    if (betweens === 0) return true;
    betweens--;
    return false;
  });
}

/** Implications that every branch has. */
function commonOf(branches: readonly Implication[][]): Implication[] {
  const [first = [], ...others] = branches.map(closureOf);
  return first.flatMap((implication) => {
    const twins = others.map((branch) =>
      branch.find(({ needs, gives }) => needs === implication.needs && gives === implication.gives),
    );
    if (twins.includes(undefined)) return [];
    return [{ ...implication, slots: [implication, ...twins].flatMap((twin) => twin?.slots ?? []) }];
  });
}

/** With what follows at once from values in the same branch: `a.t = 1 and b.t = a.t` binds both. */
function closureOf(implications: readonly Implication[]): Implication[] {
  const closure = [...implications];
  for (let size = -1; size !== closure.length; ) {
    size = closure.length;
    for (const { needs, gives, slots } of implications) {
      if (!needs || closure.some((known) => !known.needs && known.gives === gives)) continue;
      const base = closure.find((known) => !known.needs && known.gives === needs);
      if (base) closure.push({ needs: undefined, gives, slots: [...base.slots, ...slots] });
    }
  }
  return closure;
}

function readConjunct(tokens: readonly Token[], scope: Scope): Implication[] {
  const [first] = tokens;
  if (tokens.length === 1 && isParentheses(first) && !isQuery(first)) return readCondition(first.inner, scope);
  const at = tokens.findIndex(
    (token) =>
      isOperator(token, '=') || (isOperator(token, '==') && scope.reading.engine === 'sqlite') || isWord(token, 'in'),
  );
  if (at <= 0) return [];
  const left = readOperand(tokens.slice(0, at), scope);
  const right = tokens.slice(at + 1);
  const list = right[right.length - 1];
  if (isWord(tokens[at], 'in')) {
    return right.length === 1 && isParentheses(list) ? readMembership(left, list, scope) : [];
  }
  if (right.length === 2 && isWord(right[0], 'any') && isParentheses(list))
    return equate(left, readArray(list.inner), scope);
  return equate(left, readOperand(right, scope), scope);
}

/** `$1` or `$1::uuid[]`, of which every element may be meant. */
export function readArray(tokens: readonly Token[]): Operand {
  const [parameter, cast, type, brackets] = tokens;
  const plain = tokens.length === 1;
  const faithful =
    tokens.length === 4 &&
    isOperator(cast, '::') &&
    isOneOf(type, ARRAY_TYPES) &&
    brackets?.kind === 'group' &&
    brackets.inner.length === 0;
  if (parameter?.kind !== 'parameter' || !(plain || faithful)) return { kind: 'unknown' };
  return { kind: 'source', slots: [{ elementsOf: parameter.index }] };
}

function readMembership(left: Operand, list: Group, scope: Scope): Implication[] {
  if (left.kind === 'unknown') return [];
  if (isQuery(list) && !isWord(list.inner[0], 'values')) {
    const { outputs, correlated } = scope.reading.readQuery(list, scope, left);
    return correlated ? [] : equate(left, asOperand(outputs.byPosition, left), scope);
  }
  // SQLite wants `in (values (…), (…))` for rows; everybody else `in ((…), (…))`.
  const rows = splitByComma(isWord(list.inner[0], 'values') ? list.inner.slice(1) : list.inner);
  return equate(left, oneOf(rows.map((row) => readOperand(row, scope))), scope);
}

function asOperand(sources: readonly (readonly Slot[] | undefined)[], left: Operand): Operand {
  const items = sources.map((slots): Operand => (slots ? { kind: 'source', slots } : { kind: 'unknown' }));
  return left.kind === 'row' ? { kind: 'row', items } : (items[0] ?? { kind: 'unknown' });
}

/** An operand that has the value of one of several: its slots are those of all. */
function oneOf(operands: readonly Operand[]): Operand {
  const [first] = operands;
  if (first?.kind === 'row') {
    const items = first.items.map((_, index) =>
      oneOf(
        operands.map((operand) => (operand.kind === 'row' ? operand.items[index] : undefined) ?? { kind: 'unknown' }),
      ),
    );
    return { kind: 'row', items };
  }
  if (!operands.every((operand) => operand.kind === 'source')) return { kind: 'unknown' };
  return { kind: 'source', slots: operands.flatMap(({ slots }) => slots) };
}

/** What follows from two operands being equal. */
function equate(left: Operand, right: Operand, scope: Scope): Implication[] {
  if (left.kind === 'row' && right.kind === 'row') {
    if (left.items.length !== right.items.length) return [];
    return left.items.flatMap((item, index) => equate(item, right.items[index] ?? { kind: 'unknown' }, scope));
  }
  return [...imply(left, right, scope), ...imply(right, left, scope)];
}

function imply(from: Operand, to: Operand, scope: Scope): Implication[] {
  // A condition in here says nothing about the rows of a query around this one.
  if (to.kind !== 'tenant' || !to.own) return [];
  const gives: TableRef = to.ref;
  if (from.kind === 'source') return [{ needs: undefined, gives, slots: from.slots }];
  if (from.kind !== 'tenant') return [];
  if (from.own) return from.ref === gives ? [] : [{ needs: from.ref, gives, slots: [] }];
  scope.correlated = true;
  return [{ needs: undefined, gives, slots: [] }];
}
