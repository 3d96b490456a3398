import type { Block, Outputs, TableRef } from './analysis.js';
import { CLAUSES, cutClauses } from './query.js';
import { readOperand, type Scope } from './scope.js';
import { isWord, splitByComma, type Token } from './token.js';

/** Functions that make one value of many rows. */
const AGGREGATES = new Set(
  (
    'any_value array_agg avg bit_and bit_or bool_and bool_or count every group_concat json_agg json_arrayagg ' +
    'json_group_array json_group_object json_object_agg json_objectagg jsonb_agg jsonb_object_agg max min ' +
    'percentile_cont percentile_disc stddev stddev_pop stddev_samp string_agg sum total var_pop var_samp variance'
  ).split(' '),
);

/**
 * Whether each row that a SELECT gives is made of rows of one tenant, and its column `tenant_id` says of which: a column
 * of a table and not a value that somebody made up, tables joined by it, and aggregates grouped by it.
 */
export function tellsTenant(
  tokens: readonly Token[],
  scope: Scope,
  outputs: Outputs,
  blocks: readonly Block[],
): boolean {
  const [block, ...others] = blocks;
  const source = outputs.byName.get('tenant_id');
  if (!block || others.length > 0 || source?.length !== 0) return false;
  return isOfOneTenant(block) && isGroupedByTenant(tokens, scope);
}

/** Tables that follow from each other: what binds one to a tenant binds all of them. */
function isOfOneTenant({ refs, implications }: Block): boolean {
  const owned = refs.filter(({ table }) => table);
  const ties = implications.filter(({ slots }) => slots.length === 0);
  return owned.some((root) => {
    const bound = new Set<TableRef | undefined>([root]);
    for (let size = 0; size !== bound.size; ) {
      size = bound.size;
      for (const { needs, gives } of ties) if (bound.has(needs)) bound.add(gives);
    }
    return owned.every((ref) => bound.has(ref));
  });
}

function isGroupedByTenant(tokens: readonly Token[], scope: Scope): boolean {
  // A window looks at rows that are not its own.
  if (some(tokens, (token) => isWord(token, 'over'))) return false;
  const { group } = cutClauses(tokens.slice(1), CLAUSES);
  if (!group) return !some(tokens, (token) => token.kind === 'word' && AGGREGATES.has(token.text));
  return splitByComma(group.slice(1)).some((item) => readOperand(item, scope).kind === 'tenant');
}

function some(tokens: readonly Token[], test: (token: Token) => boolean): boolean {
  return tokens.some((token) => test(token) || (token.kind === 'group' && some(token.inner, test)));
}
