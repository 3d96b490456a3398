import { type EntityMetadata, type EntityProperty, ReferenceKind, Utils } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import type { EngineName } from '#libs/persistence';
import type { CallOff } from '../sharded/shard-scope.js';
import type { AggregatePlan, Part, Value } from './aggregate-plan.js';

/** A row of a shard's part: group keys and parts as text, in the order of the plan; floating-point numbers as they are. */
export interface ShardPart {
  readonly groups: readonly (string | null)[];
  readonly parts: readonly (string | number | null)[];
}

/** Asks one shard for its part of an aggregate. */
export class ShardAggregate {
  constructor(
    private readonly em: SqlEntityManager,
    private readonly engine: EngineName,
    private readonly meta: EntityMetadata,
    private readonly where: unknown,
    private readonly callOff: CallOff,
  ) {}

  /** Groups with their parts. Without groups it is one row, also over no rows. */
  async ask({ groups, parts }: Pick<AggregatePlan, 'groups' | 'parts'>, maxRows: number): Promise<ShardPart[]> {
    const keys = groups.map(({ value }) => value);
    const values = [...new Set(parts.flatMap(({ value }) => value ?? []))];
    const columns = [
      ...keys.map((value, index) => `${this.#bytes(value)} as ${this.#quote(`k${index}`)}`),
      ...values.map((value, index) => `${this.#bytes(value)} as ${this.#quote(`v${index}`)}`),
    ];
    const source = await this.#source([...keys, ...values]);
    const selected = [
      ...keys.map((value, index) => `${this.#text(this.#quote(`k${index}`), value)} as ${this.#quote(`g${index}`)}`),
      ...parts.map((part, index) => `${this.#call(part, values)} as ${this.#quote(`p${index}`)}`),
    ];
    const groupBy = keys.map((_, index) => this.#quote(`k${index}`)).join(', ');
    const inner = `select ${columns.join(', ') || '1 as one'} from (${source}) ${this.#quote('s')}`;
    const sql =
      `select ${selected.join(', ') || '1 as one'} from (${inner}) ${this.#quote('t')}` +
      (groupBy ? ` group by ${groupBy} limit ${maxRows + 1}` : '');
    const rows = await this.em.execute<Record<string, never>[]>(sql, [], { method: 'all', ...this.callOff });
    return rows.map((row) => ({
      groups: keys.map((_, index) => row[`g${index}`] ?? null),
      parts: parts.map((_, index) => row[`p${index}`] ?? null),
    }));
  }

  /**
   * The rows concerned, as MikroORM selects them: it knows the tables of a class hierarchy and adds filters. A condition
   * over relations may join a row several times, so rows are told apart by primary key.
   */
  async #source(values: readonly Value[]): Promise<string> {
    const names = [...this.meta.primaryKeys, ...values.map(({ property }) => property.name)];
    const query = this.em.createQueryBuilder(this.meta.class as never);
    query.select([...new Set(names)] as never, namesRelation(this.meta, this.where)).where(this.where as never);
    await query.applyFilters();
    return query.getFormattedQuery();
  }

  #call({ call, value }: Part, values: readonly Value[]): string {
    if (!value) return this.#asText('count(*)');
    const column = this.#quote(`v${values.indexOf(value)}`);
    if (call === 'count') return this.#asText(`count(${column})`);
    if (value.isFloat) return `${call}(${column})`;
    return call === 'sum'
      ? this.#asText(`sum(${column})`)
      : this.#text(`${call}(${this.#comparable(column, value)})`, value);
  }

  /** PostgreSQL has no order of booleans to take the smallest of. */
  #comparable(column: string, { kind }: Value): string {
    return kind === 'boolean' ? `case when ${column} then 1 when not ${column} then 0 end` : column;
  }

  /** To group and compare by: text as its bytes, whatever the column's collation calls equal. */
  #bytes({ property, kind }: Value): string {
    const column = this.#quote(property.fieldNames[0] as string);
    if (kind !== 'text') return column;
    if (this.engine === 'postgresql') return `${column} collate "C"`;
    return this.engine === 'sqlite' ? column : `cast(${column} as binary)`;
  }

  /** Values leave the database as text: drivers round big numbers, and differ in dates. */
  #text(sql: string, { kind, isFloat }: Value): string {
    if (isFloat) return sql;
    const isBinary = kind === 'text' && (this.engine === 'mysql' || this.engine === 'mariadb');
    return isBinary ? `convert(${sql} using utf8mb4)` : this.#asText(sql);
  }

  #asText(sql: string): string {
    return `cast(${sql} as ${this.engine === 'mysql' || this.engine === 'mariadb' ? 'char' : 'text'})`;
  }

  #quote(name: string): string {
    return this.em.getPlatform().quoteIdentifier(name);
  }
}

function namesRelation(meta: EntityMetadata, where: unknown): boolean {
  if (Array.isArray(where)) return where.some((part) => namesRelation(meta, part));
  if (!Utils.isPlainObject(where)) return false;
  return Object.entries(where).some(([key, part]) => {
    const property = (meta.properties as Record<string, EntityProperty | undefined>)[key];
    if (!property) return namesRelation(meta, part);
    return property.kind !== ReferenceKind.SCALAR && property.kind !== ReferenceKind.EMBEDDED;
  });
}
