import { NO_OUTPUTS, type Outputs, type Source, type TableRef } from './analysis.js';
import { nameOf, type Operand, readOperand, type Scope } from './scope.js';
import { isOneOf, isOperator, isWord, splitByComma, type Token } from './token.js';

const QUANTIFIERS = new Set(['all', 'distinct']);

/**
 * Which columns of a select list hold the tenant. By now every table of the query is required to be bound, so its tenant
 * column is proven.
 *
 * A name counts only when nothing else in the list has it, or might: SQLite takes the first of two columns of one name,
 * where other products complain.
 */
export function readOutputs(list: readonly Token[], scope: Scope): Outputs {
  const items = splitByComma(isOneOf(list[0], QUANTIFIERS) ? list.slice(1) : list);
  const [only] = items;
  if (items.length === 1 && only && isStar(only)) return outputsOfStar(only, scope) ?? NO_OUTPUTS;
  const named: [string, Source | undefined][] = [];
  const byPosition: (Source | undefined)[] = [];
  for (const item of items) {
    if (isStar(item)) {
      // Nothing is known of the columns it stands for, nor of positions behind it.
      const outputs = outputsOfStar(item, scope);
      if (!outputs) return NO_OUTPUTS;
      named.push(...outputs.byName);
      byPosition.length = 0;
      continue;
    }
    const { expression, name } = splitAlias(item);
    const source = sourceOf(readOperand(expression, scope), scope);
    byPosition.push(source);
    if (name !== undefined) named.push([name, source]);
  }
  const unproven = new Set(named.flatMap(([name, source]) => (source ? [] : [name])));
  const byName = new Map(named.filter((it): it is [string, Source] => it[1] !== undefined && !unproven.has(it[0])));
  return { byName, byPosition: items.some(isStar) ? [] : byPosition };
}

function sourceOf(operand: Operand, scope: Scope): Source | undefined {
  if (operand.kind === 'source') return operand.slots;
  if (operand.kind !== 'tenant') return undefined;
  if (!operand.own) scope.correlated = true;
  return [];
}

function isStar(item: readonly Token[]): boolean {
  return isOperator(item[item.length - 1], '*') && (item.length === 1 || isOperator(item[item.length - 2], '.'));
}

/** Of `*` or `alias.*`, where all columns are known: a table's, or a sub-query's when it stands alone. */
function outputsOfStar(item: readonly Token[], scope: Scope): Outputs | undefined {
  const alias = nameOf(item[item.length - 3]);
  if (alias === undefined && scope.refs.length !== 1) return allOwned(scope.refs);
  const found = alias === undefined ? scope.findOnlyRef() : scope.findRef(alias);
  if (!found) return undefined;
  if (!found.own) scope.correlated = true;
  return allOwned([found.ref]) ?? (scope.refs.length === 1 && item.length === 1 ? found.ref.outputs : undefined);
}

/** The tenant columns of tables that all have one. */
function allOwned(refs: readonly TableRef[]): Outputs | undefined {
  const columns = refs.map(({ table }) => table?.tenantColumn);
  if (columns.includes(undefined)) return undefined;
  return { byName: new Map(columns.map((column) => [column as string, []])), byPosition: [] };
}

/** `expression as name`, `expression name`, or a column that keeps its own. Some products take text for a name. */
function splitAlias(item: readonly Token[]): { expression: readonly Token[]; name: string | undefined } {
  const [beforeLast, last] = [item[item.length - 2], item[item.length - 1]];
  const name = last?.kind === 'string' ? last.text : nameOf(last);
  if (isWord(beforeLast, 'as')) return { expression: item.slice(0, -2), name };
  const isImplicit = item.length > 1 && name !== undefined && beforeLast?.kind !== 'operator';
  return { expression: isImplicit ? item.slice(0, -1) : item, name };
}
