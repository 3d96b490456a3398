import type { AbstractSqlConnection } from '@mikro-orm/sql';
import type { Placement } from '../placement.js';
import { assertPlaceName } from './place-name.js';
import type { TenantOrm } from './tenant-databases.js';

/** Protected in MikroORM's types. */
interface ListeningConnection {
  executeQuery(sql: string, send: unknown, context: { readonly formatted?: string }): Promise<unknown>;
}

/** What makes or fills tables. Everything else that leaves something behind makes a template impossible. */
const KEPT =
  /^\s*(?:(?:create|alter|drop)\s+(?:unique\s+)?(?:table|index|policy|sequence|view)|comment\s+on|grant|insert|update|delete)\b/i;
/** Leaves nothing behind in the database. `set names` is what connections have anyway. */
const PASSED_OVER = /^\s*(?:select\b|set names 'utf8'\s*;?\s*$)/i;

/**
 * The statements by which migrations fill a new, empty schema, their ledger included. They are heard once per process and
 * shard, while a place is migrated, so that further places are made by the very same ones: in one round trip, not in hundreds.
 */
export class PlaceTemplate {
  private constructor(
    private readonly name: string,
    private readonly statements: readonly string[],
  ) {}

  /**
   * @param heard  everything that was sent to a place that was new, in order
   * @returns `undefined` when a statement does something other than to make or fill tables, or speaks of the tenant itself
   */
  static of({ tenantId, schemaName }: Placement, heard: readonly (string | undefined)[]): PlaceTemplate | undefined {
    assertPlaceName(schemaName);
    const kept: string[] = [];
    for (const sql of heard) {
      if (sql === undefined || sql.includes(tenantId)) return undefined;
      if (KEPT.test(sql)) kept.push(sql.replace(/;\s*$/, ''));
      else if (!PASSED_OVER.test(sql)) return undefined;
    }
    return new PlaceTemplate(schemaName, kept);
  }

  /** The same for another place. Names of places are unique and hold nothing to quote, see `placeNameOf`. */
  statementsFor(name: string): string[] {
    assertPlaceName(name);
    return this.statements.map((sql) => sql.replaceAll(this.name, name));
  }
}

/** Everything that an instance sends from now on, values included; `undefined` where they are sent apart. */
export function hearStatements({ driver }: TenantOrm): readonly (string | undefined)[] {
  const heard: (string | undefined)[] = [];
  const connection = driver.getConnection() as AbstractSqlConnection as unknown as ListeningConnection;
  const executeQuery = connection.executeQuery.bind(connection);
  connection.executeQuery = (sql, send, context) => {
    heard.push(context.formatted);
    return executeQuery(sql, send, context);
  };
  return heard;
}
