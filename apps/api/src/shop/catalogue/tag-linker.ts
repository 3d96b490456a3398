import { type EntityMetadata, LockMode } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import {
  bulkInsert,
  type Change,
  type ChangeSubscriber,
  type LinkKeys,
  PivotTable,
  RowConstraintError,
  type TransactionScope,
} from '#libs/persistence';
import { Product } from './product.entity.js';
import { Tag } from './tag.entity.js';
import { byWordKey } from './tag-word.js';

/** Keys asked for in one statement. */
const KEYS_AT_ONCE = 500;

/**
 * Links products with the tags of their words, in the transaction that writes the words and whichever way they are
 * written: flush, import, revert. A word that is new becomes a tag.
 *
 * Links are not on record: they follow from the words, which are.
 */
export class TagLinker implements ChangeSubscriber {
  wants(meta: EntityMetadata): boolean {
    return meta.root.class === Product;
  }

  async beforeCommit(changes: readonly Change[], scope: TransactionScope): Promise<void> {
    const worded = latestOf(changes).flatMap((change) => {
      const words = change.new?.tags as string[] | undefined;
      if (!words || (change.kind === 'create' && words.length === 0)) return [];
      return [{ change, words: byWordKey(words) }];
    });
    if (worded.length === 0) return;
    const tagIds = await findOrMake(scope, new Map(worded.flatMap(({ words }) => [...words])));
    const pivot = new PivotTable(scope, Product, 'taggedWith');
    const before = await pivot.of(
      worded.filter(({ change }) => change.kind === 'update').map(({ change }) => change.key),
    );
    const wanted = worded.flatMap(({ change: { key }, words }) =>
      [...words.keys()].map((word) => ({ owner: key, item: { tenantId: key.tenantId, id: tagIds.get(word) } })),
    );
    await pivot.remove(without(before, wanted));
    await pivot.add(without(wanted, before));
  }
}

function hashOf({ owner, item }: LinkKeys): string {
  return `${owner.id} ${item.id}`;
}

function without(links: readonly LinkKeys[], others: readonly LinkKeys[]): LinkKeys[] {
  const hashes = new Set(others.map(hashOf));
  return links.filter((link) => !hashes.has(hashOf(link)));
}

/** One change a product, the last of its words; none of products that are gone again. */
function latestOf(changes: readonly Change[]): Change[] {
  const latest = new Map<unknown, Change>();
  for (const change of changes) {
    if (change.kind === 'delete') latest.delete(change.key.id);
    else if (change.new && 'tags' in change.new) {
      // Links of a product made in this very transaction may be there from its part that came before.
      const known = latest.get(change.key.id);
      latest.set(change.key.id, known?.kind === 'create' ? { ...change, kind: 'create' } : change);
    }
  }
  return [...latest.values()];
}

/** Ids of tags by word key. */
async function findOrMake(scope: TransactionScope, words: ReadonlyMap<string, string>): Promise<Map<string, string>> {
  const ids = await find(scope, [...words.keys()]);
  // In one order everywhere, so that two transactions that make the same ones wait for each other in turn.
  const missing = [...words].filter(([key]) => !ids.has(key)).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (missing.length === 0) return ids;
  const tags = missing.map(([, name]) => new Tag({ name }));
  const taken = new Set<Tag | undefined>();
  await bulkInsert(scope.entityManager, Tag, tags, {
    onRejected(index, error) {
      // Somebody else has made it since we looked.
      if (!(error instanceof RowConstraintError && error.constraint === 'unique')) throw error;
      taken.add(tags[index]);
    },
  });
  for (const tag of tags) if (!taken.has(tag)) ids.set(tag.wordKey, tag.id);
  const missed = tags.filter((tag) => taken.has(tag)).map(({ wordKey }) => wordKey);
  // A snapshot does not show them; a lock is given on what is there.
  for (const [key, id] of await find(scope, missed, LockMode.PESSIMISTIC_READ)) ids.set(key, id);
  return ids;
}

type ReadLock = LockMode.PESSIMISTIC_READ;

async function find({ entityManager, transaction }: TransactionScope, keys: readonly string[], lockMode?: ReadLock) {
  const em = entityManager.fork({ clear: true }) as SqlEntityManager;
  em.setTransactionContext(transaction);
  const ids = new Map<string, string>();
  for (let from = 0; from < keys.length; from += KEYS_AT_ONCE) {
    const where = { wordKey: { $in: keys.slice(from, from + KEYS_AT_ONCE) } };
    const rows = await em.find(Tag, where, { fields: ['id', 'wordKey'], ...(lockMode && { lockMode }) });
    for (const { wordKey, id } of rows) ids.set(wordKey, id);
  }
  return ids;
}
