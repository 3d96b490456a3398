import type { EntityClass } from '@mikro-orm/core';
import { Injectable } from '@nestjs/common';
import {
  type BulkRowError,
  bulkUpsert,
  CurrentEntityManager,
  Money,
  RowClassMismatchError,
  RowConstraintError,
} from '#libs/persistence';
import { toInputErrors } from '../../http/schema-validation.pipe.js';
import { ImportReport, type RejectedLine } from './import-report.js';
import type { Product, ProductType } from './product.entity.js';
import { productClasses } from './product.factory.js';
import { type NewProduct, newProductSchema } from './product.schemas.js';
import { readLines, type StreamLine } from './read-lines.js';

/** Enough for any product; a longer line is an error, not a reason to hold it in memory. */
const MAX_LINE_BYTES = 65_536;
/** Products written in one transaction, together with their audit entries. */
const BATCH_SIZE = 500;

/** A valid line that waits to be written. */
interface BatchRow {
  readonly line: number;
  readonly product: NewProduct;
}

/** The rows of one transaction, by sku. */
type Batch = Map<string, BatchRow>;

/**
 * Imports a stream of products, one JSON object a line, by sku: new ones are inserted, known ones brought up to date.
 * Each batch of 500 is one transaction, audit entries included; memory does not grow with the stream. An import that is
 * cut off can simply be sent again: what is there already is unchanged.
 */
@Injectable()
export class ProductImporter {
  constructor(private readonly entityManager: CurrentEntityManager) {}

  async import(source: AsyncIterable<Buffer>): Promise<ImportReport> {
    const report = new ImportReport();
    let batch: Batch = new Map();
    for await (const line of readLines(source, MAX_LINE_BYTES)) {
      const product = parseLine(line, report);
      if (!product) continue;
      // A sku that comes twice is inserted first and updated then, as two imports would do it.
      if (batch.size === BATCH_SIZE || batch.has(product.sku)) {
        await this.#write(batch, report);
        batch = new Map();
      }
      batch.set(product.sku, { line: line.number, product });
    }
    await this.#write(batch, report);
    return report;
  }

  async #write(batch: Batch, report: ImportReport): Promise<void> {
    const byType = Map.groupBy(batch.values(), ({ product }) => product.type);
    for (const [type, rows] of byType) await this.#writeType(type, rows, report);
  }

  async #writeType(type: ProductType, batch: BatchRow[], report: ImportReport): Promise<void> {
    const rows = batch.map(({ product: { price, categoryId, ...rest } }) => ({
      ...rest,
      ...(categoryId !== undefined && { category: categoryId === null ? null : { id: categoryId } }),
      price: new Money(price.amount, price.currency),
    }));
    const written = await bulkUpsert(this.entityManager.get(), productClasses[type] as EntityClass<Product>, rows, {
      by: ['sku'],
      onRejected: (index, error) => report.reject(toRejection(Number(batch[index]?.line), error)),
    });
    report.inserted += written.inserted;
    report.updated += written.updated;
    report.unchanged += written.unchanged;
  }
}

/** What the client is told of a row the database has no place for. Anything else is a mistake of ours. */
function toRejection(line: number, error: BulkRowError): RejectedLine {
  if (error instanceof RowConstraintError && error.constraint === 'foreign_key') {
    return { line, code: 'invalid_input', detail: '/categoryId: There is no such category.' };
  }
  if (!(error instanceof RowClassMismatchError)) throw error;
  return { line, code: 'type_conflict', detail: 'There is a product of another type with this sku.' };
}

/** The product of a line, or `undefined` for an empty line and for one that was rejected. */
function parseLine({ number: line, text }: StreamLine, report: ImportReport): NewProduct | undefined {
  if (text === undefined) {
    report.reject({ line, code: 'line_too_long', detail: `A line has at most ${MAX_LINE_BYTES} bytes.` });
    return undefined;
  }
  if (text.trim() === '') return undefined;
  try {
    const parsed = newProductSchema.safeParse(JSON.parse(text));
    if (parsed.success) return parsed.data;
    const errors = toInputErrors(parsed.error.issues, 'body');
    const detail = errors.map(({ pointer, detail }) => `${pointer || '/'}: ${detail}`).join(' ');
    report.reject({ line, code: 'invalid_input', detail });
  } catch {
    report.reject({ line, code: 'malformed_json', detail: 'This line is not valid JSON.' });
  }
  return undefined;
}
