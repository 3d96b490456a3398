import Database from 'better-sqlite3';
import { v7 as uuidv7 } from 'uuid';
import type { ImportedProduct } from './debian-packages.js';

const ROWS_PER_STATEMENT = 100;
const PRODUCT = [
  ...['tenant_id', 'id', 'type', 'sku', 'name', 'price_amount', 'price_currency', 'stock', 'tags', 'version'],
  ...['created_at', 'updated_at'],
];
const DIGITAL_PRODUCT = ['tenant_id', 'id', 'download_size_kb'];
const TAG = ['tenant_id', 'id', 'name', 'word_key', 'version', 'created_at'];
const PRODUCT_TAG = ['tenant_id', 'product_id', 'tag_id'];
const AUDIT_ENTRY = [
  ...['tenant_id', 'id', 'occurred_at', 'action', 'entity_name', 'entity_id', 'changes'],
  ...['actor_id', 'actor_type', 'request_id'],
];

/** A writer of one table that keeps a statement for many rows and one for a single row. */
function createTableWriter(database: Database.Database, table: string, columns: readonly string[]) {
  const tuple = `(${columns.map(() => '?').join(', ')})`;
  const insert = (rows: number) => {
    const tuples = Array.from({ length: rows }, () => tuple);
    return database.prepare(`insert into ${table} (${columns.join(', ')}) values ${tuples.join(', ')}`);
  };
  const [many, one] = [insert(ROWS_PER_STATEMENT), insert(1)];
  return (rows: readonly unknown[][]) => {
    const whole = rows.length - (rows.length % ROWS_PER_STATEMENT);
    for (let from = 0; from < whole; from += ROWS_PER_STATEMENT)
      many.run(rows.slice(from, from + ROWS_PER_STATEMENT).flat());
    for (const row of rows.slice(whole)) one.run(row);
  };
}

/** Old and new value of every property, as the trail has them. */
function changesOf({ sku, name, price, tags, downloadSizeKb }: ImportedProduct, now: Date): string {
  const values = {
    type: 'digital',
    sku,
    name,
    'price.amount': price.amount,
    'price.currency': price.currency,
    stock: 0,
    tags,
    version: 1,
    createdAt: now,
    updatedAt: now,
    downloadSizeKb,
  };
  const changes = Object.entries(values).map(([path, value]) => [path, { old: null, new: value }]);
  return JSON.stringify(Object.fromEntries(changes));
}

/** Writes products and their audit entries, and tags where there is a table of them, with better-sqlite3 alone. */
export class RawImport {
  readonly #database: Database.Database;
  readonly #tags: TagRows | undefined;

  constructor(
    file: string,
    private readonly tenantId: string,
  ) {
    this.#database = new Database(file);
    // As the ORM's connection: a commit is durable, foreign keys are checked.
    for (const pragma of ['journal_mode = wal', 'synchronous = full', 'foreign_keys = on'])
      this.#database.pragma(pragma);
    const hasTags =
      this.#database.prepare("select 1 from sqlite_master where name = 'product_tag'").get() !== undefined;
    this.#tags = hasTags ? new TagRows(tenantId) : undefined;
  }

  /** @param batchSize rows of one transaction */
  write(products: readonly ImportedProduct[], batchSize: number): void {
    const writeProducts = createTableWriter(this.#database, 'product', PRODUCT);
    const writeDigital = createTableWriter(this.#database, 'digital_product', DIGITAL_PRODUCT);
    const writeEntries = createTableWriter(this.#database, 'audit_entry', AUDIT_ENTRY);
    const writeTags = this.#tags && createTableWriter(this.#database, 'tag', TAG);
    const writeLinks = this.#tags && createTableWriter(this.#database, 'product_tag', PRODUCT_TAG);
    const writeBatch = this.#database.transaction((batch: readonly ImportedProduct[]) => {
      const [rows, digital, entries]: [unknown[][], unknown[][], unknown[][]] = [[], [], []];
      for (const product of batch) {
        const [id, now] = [uuidv7(), new Date()];
        const { sku, name, price, tags, downloadSizeKb } = product;
        const common = [price.amount, price.currency, 0, JSON.stringify(tags), 1, now.getTime(), now.getTime()];
        rows.push([this.tenantId, id, 'digital', sku, name, ...common]);
        digital.push([this.tenantId, id, downloadSizeKb]);
        const what = [now.getTime(), 'create', 'DigitalProduct', id, changesOf(product, now)];
        entries.push([this.tenantId, uuidv7(), ...what, 'bench', 'job', 'a-request']);
        this.#tags?.add(id, tags, now);
      }
      writeProducts(rows);
      writeDigital(digital);
      writeEntries(entries);
      writeTags?.(this.#tags?.takeTags() ?? []);
      writeLinks?.(this.#tags?.takeLinks() ?? []);
    });
    for (let from = 0; from < products.length; from += batchSize) writeBatch(products.slice(from, from + batchSize));
  }

  /** Forgets what was written, so that the next round finds the file as the first one did. */
  clear(): void {
    if (this.#tags) this.#database.exec('delete from product_tag; delete from tag');
    this.#tags?.clear();
    this.#database.exec('delete from digital_product; delete from product; delete from audit_entry');
    this.#database.pragma('wal_checkpoint(truncate)');
  }

  close(): void {
    this.#database.close();
  }
}

/** Rows of the tags that products bring along. */
class TagRows {
  readonly #ids = new Map<string, string>();
  readonly #tags: unknown[][] = [];
  readonly #links: unknown[][] = [];

  constructor(private readonly tenantId: string) {}

  add(productId: string, words: readonly string[], now: Date): void {
    for (const word of new Set(words.map((it) => it.toLowerCase()))) {
      let id = this.#ids.get(word);
      if (!id) {
        id = uuidv7();
        this.#ids.set(word, id);
        this.#tags.push([this.tenantId, id, word, uuidv7(), 1, now.getTime()]);
      }
      this.#links.push([this.tenantId, productId, id]);
    }
  }

  takeTags(): unknown[][] {
    return this.#tags.splice(0);
  }

  takeLinks(): unknown[][] {
    return this.#links.splice(0);
  }

  clear(): void {
    this.#ids.clear();
  }
}
