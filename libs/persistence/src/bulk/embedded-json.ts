import type { EntityMetadata, EntityProperty } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';

type Fields = Record<string, unknown>;

/** Turns embedded values that lie in one column into JSON text and back. */
export interface EmbeddedJson {
  toText(value: unknown): string;
  /** The value by its properties, as a snapshot has it. */
  fromText(text: string): unknown;
}

/** Uses MikroORM's own snapshots and names, so that the text reads like what a flush writes. */
export function embeddedJsonOf(em: SqlEntityManager, meta: EntityMetadata): (property: EntityProperty) => EmbeddedJson {
  const driver = em.getDriver();
  const comparator = em.config.getComparator(em.getMetadata());
  const snapshot = comparator.getSnapshotGenerator(meta.class);
  return (property) => {
    const { targetMeta } = property;
    const toFields = (value: Fields) => driver.mapDataToFieldNames(value, false, property.embeddedProps, false);
    const toProperties = (fields: Fields) => (targetMeta ? comparator.mapResult(targetMeta, fields) : fields);
    const each = (value: unknown, convert: (fields: Fields) => unknown) =>
      Array.isArray(value) ? value.map(convert) : convert(value as Fields);
    return {
      toText: (value) => {
        // The generator reads the properties that are there and skips the rest, so one is enough.
        const stored = (snapshot({ [property.name]: value }) as Fields)[property.name];
        return JSON.stringify(each(stored, toFields));
      },
      fromText: (text) => each(JSON.parse(text), toProperties),
    };
  };
}
