import { isQuery } from './condition.js';
import { Refusal } from './refusal.js';
import { nameOf, type Operand, readOperand, type Scope } from './scope.js';
import { isOneOf, isOperator, isParentheses, isWord, type Token } from './token.js';

/**
 * Goes through an expression for what must not hide in it: queries, which are read like any other, and calls of functions
 * that do more than compute.
 */
export function readExpression(tokens: readonly Token[], scope: Scope): void {
  for (const [index, token] of tokens.entries()) {
    if (isWord(token, 'into')) throw new Refusal('it selects into a table, a file or a variable');
    if (isOperator(token, ';')) throw new Refusal('it is more than one statement; send them one by one');
    if (isWord(token, 'in') && scope.reading.engine === 'sqlite' && !isParentheses(tokens[index + 1])) {
      throw new Refusal('it looks for something in a whole table; write a sub-query');
    }
    if (isWord(token, 'ilike') && scope.reading.engine !== 'postgresql') {
      throw new Refusal(`${scope.reading.engine} has no ILIKE. Use containsText(), or compare lower(…) by LIKE`);
    }
    if (token.kind !== 'group') continue;
    if (isParentheses(token)) refuseCall(tokens, index, scope);
    if (isParentheses(token) && isQuery(token)) scope.reading.readQuery(token, scope, readMember(tokens, index, scope));
    else readExpression(token.inner, scope);
  }
}

const BEFORE_OPERANDS = new Set(['and', 'or', 'not', 'when']);

/** What stands before `[not] in` in front of a query: a row in brackets or a column that is the whole operand. */
function readMember(tokens: readonly Token[], query: number, scope: Scope): Operand | undefined {
  if (!isWord(tokens[query - 1], 'in')) return undefined;
  const end = isWord(tokens[query - 2], 'not') ? query - 2 : query - 1;
  let start = end - 1;
  if (!isParentheses(tokens[start])) while (isOperator(tokens[start - 1], '.')) start -= 2;
  const before = tokens[start - 1];
  const isWhole = before === undefined || isOneOf(before, BEFORE_OPERANDS);
  return start >= 0 && isWhole ? readOperand(tokens.slice(start, end), scope) : undefined;
}

/** Refuses `name(…)` unless the function is known to compute only. */
function refuseCall(tokens: readonly Token[], bracket: number, { reading }: Scope): void {
  const name = nameOf(tokens[bracket - 1]);
  if (name === undefined) return;
  const qualified = isOperator(tokens[bracket - 2], '.');
  if (qualified || !reading.functions.mayPrecedeBracket(name)) {
    throw new Refusal(
      `it calls "${name}()", which is not known to compute from its arguments alone. If it does, name it in the guard's ` +
        'option "functions"',
    );
  }
}
