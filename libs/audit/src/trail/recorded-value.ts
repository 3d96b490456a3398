import { BigIntType, type EntityProperty, JsonType } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';

/** A custom type that shows readers of changes what entities hold. */
function isReadable(type: object): boolean {
  return 'toChangedValue' in type;
}

/** The value an entity holds for what an entry says: the way back from a change's JSON. */
export function fromRecorded(prop: EntityProperty, recorded: unknown, em: SqlEntityManager): unknown {
  if (recorded === null || recorded === undefined) return null;
  const { customType, targetMeta } = prop;
  if (targetMeta) return em.getReference(targetMeta.class, recorded as never);
  if (customType instanceof BigIntType) return customType.mode === 'bigint' ? BigInt(recorded as string) : recorded;
  if (customType && !isReadable(customType) && !(customType instanceof JsonType)) {
    return customType.convertToJSValue(recorded, em.getPlatform());
  }
  if (prop.runtimeType === 'Date') return new Date(recorded as string);
  if (prop.runtimeType === 'Buffer') return Buffer.from(recorded as string, 'base64');
  return recorded;
}

/** `{ price: { amount: 1 } }` of `{ 'price.amount': 1 }`. */
export function nest(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const nested: Record<string, unknown> = {};
  for (const [path, value] of Object.entries(values)) {
    const steps = path.split('.');
    const last = steps.pop() as string;
    let at = nested;
    for (const step of steps) {
      at[step] ??= {};
      at = at[step] as Record<string, unknown>;
    }
    at[last] = value;
  }
  return nested;
}
