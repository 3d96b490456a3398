import { type EntityMetadata, type EntityProperty, Utils } from '@mikro-orm/core';
import { compareValues, type ValueKind } from './compare-values.js';

/** Tells whether a row meets a condition, as a database would: unknown (a comparison with null) counts as no. */
export type Condition = (row: object) => boolean;

/** What conditions may name, and how its values compare; `undefined` for what cannot be evaluated here. */
export type KindOf = (name: string) => ValueKind | undefined;

type Test = (value: unknown) => boolean;

/**
 * Compiles a condition to evaluate it here instead of in a database.
 * @returns `undefined` when a part of it means something that only the database knows
 */
export function compileCondition(where: unknown, kindOf: KindOf): Condition | undefined {
  if (where === undefined || where === null) return () => true;
  if (!Utils.isPlainObject(where)) return undefined;
  return all(
    Object.entries(where).map(([key, part]) => {
      if (key === '$and') return all((part as unknown[]).map((it) => compileCondition(it, kindOf)));
      if (key === '$or') return any((part as unknown[]).map((it) => compileCondition(it, kindOf)));
      const kind = kindOf(key);
      const test = kind && compileTest(part, kind);
      return test && ((row) => test((row as Record<string, unknown>)[key]));
    }),
  );
}

function all(parts: readonly (Condition | undefined)[]): Condition | undefined {
  if (!parts.every((part) => part !== undefined)) return undefined;
  return (row) => parts.every((part) => part(row));
}

function any(parts: readonly (Condition | undefined)[]): Condition | undefined {
  if (!parts.every((part) => part !== undefined)) return undefined;
  return (row) => parts.some((part) => part(row));
}

function compileTest(condition: unknown, kind: ValueKind): Test | undefined {
  if (condition === null || isScalar(condition)) return compileOperator('$eq', condition, kind);
  if (Array.isArray(condition)) return compileOperator('$in', condition, kind);
  if (!Utils.isPlainObject(condition)) return undefined;
  const tests = Object.entries(condition).map(([operator, value]) => compileOperator(operator, value, kind));
  if (!tests.every((test) => test !== undefined)) return undefined;
  return (value) => tests.every((test) => test(value));
}

function isScalar(value: unknown): boolean {
  return ['string', 'number', 'bigint', 'boolean'].includes(typeof value) || value instanceof Date;
}

const ORDERED: Readonly<Record<string, (order: number) => boolean>> = {
  $eq: (order) => order === 0,
  $ne: (order) => order !== 0,
  $gt: (order) => order > 0,
  $gte: (order) => order >= 0,
  $lt: (order) => order < 0,
  $lte: (order) => order <= 0,
};

function compileOperator(operator: string, operand: unknown, kind: ValueKind): Test | undefined {
  if (operand === null) {
    if (operator === '$eq') return isNull;
    return operator === '$ne' ? (value) => !isNull(value) : undefined;
  }
  if (operator === '$in' || operator === '$nin') {
    if (!Array.isArray(operand) || !operand.every(isScalar)) return undefined;
    const isIn: Test = (value) => operand.some((it) => compareValues(kind, value, it) === 0);
    return (value) => !isNull(value) && isIn(value) === (operator === '$in');
  }
  const accepts = ORDERED[operator];
  if (!accepts || !isScalar(operand)) return undefined;
  return (value) => !isNull(value) && accepts(compareValues(kind, value, operand));
}

function isNull(value: unknown): boolean {
  return value === null || value === undefined;
}

/** Properties of an entity, left out where an engine compares otherwise than JavaScript can. */
export function kindsForEvaluation(
  meta: EntityMetadata,
  valueKindOf: (property: EntityProperty) => ValueKind | undefined,
): KindOf {
  return (name) => {
    const property = (meta.properties as Record<string, EntityProperty | undefined>)[name];
    const kind = property && valueKindOf(property);
    // Which texts are equal, and which is greater, is a matter of the column's collation.
    return kind === 'text' ? undefined : kind;
  };
}
