import type { Platform } from '@mikro-orm/core';
import type { Migration } from '@mikro-orm/migrations';
import { v5 as uuidv5, v7 as uuidv7 } from 'uuid';

/** As it was when this migration was written: what migrations make must not change when the application does. */
const NAMESPACE = 'c9a1e6a4-6d5c-4f0e-9a55-1f6d2b8f0c3a';
const PRODUCTS_AT_ONCE = 500;

interface ProductRow {
  readonly tenant_id: string;
  readonly id: string;
  readonly tags: string;
}

/** Adds statements that make a tag of every word that products carry, and link them. In SQL without quoted names, for every engine. */
export async function linkTags(migration: Migration, platform: Platform): Promise<void> {
  const tags = new Map<string, string>();
  const literal = (text: string) => platform.quoteValue(text);
  let after = '';
  for (;;) {
    const products = await readProducts(migration, after);
    for (const product of products) addLinks(migration, product, tags, literal);
    const last = products.at(-1);
    if (products.length < PRODUCTS_AT_ONCE || !last) return;
    after = ` and (tenant_id > '${last.tenant_id}' or (tenant_id = '${last.tenant_id}' and id > '${last.id}'))`;
  }
}

async function readProducts(migration: Migration, after: string): Promise<ProductRow[]> {
  return (await migration.execute(
    `select tenant_id, id, tags from product where tags <> '[]'${after} order by tenant_id, id limit ${PRODUCTS_AT_ONCE}`,
  )) as ProductRow[];
}

function addLinks(
  migration: Migration,
  product: ProductRow,
  tags: Map<string, string>,
  literal: (text: string) => string,
): void {
  const tenant = literal(product.tenant_id);
  const words = new Map(
    (JSON.parse(product.tags) as string[]).map((word) => [word.normalize('NFC').toLowerCase(), word]),
  );
  for (const [key, word] of words) {
    const known = tags.get(`${product.tenant_id} ${key}`);
    const id = known ?? uuidv7();
    if (!known) {
      tags.set(`${product.tenant_id} ${key}`, id);
      migration.addSql(
        'insert into tag (tenant_id, id, name, word_key, version, created_at) ' +
          `select ${tenant}, '${id}', ${literal(word)}, '${uuidv5(key, NAMESPACE)}', 1, created_at ` +
          `from product where tenant_id = ${tenant} and id = '${product.id}'`,
      );
    }
    migration.addSql(
      `insert into product_tag (tenant_id, product_id, tag_id) values (${tenant}, '${product.id}', '${id}')`,
    );
  }
}
