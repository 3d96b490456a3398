import type { Transaction } from '@mikro-orm/core';
import type { SqlEntityManager } from '@mikro-orm/sql';
import { Injectable } from '@nestjs/common';
import { appendRows, newId } from '#libs/persistence';
import { AuditSubjectKey } from '../entities/audit-subject-key.entity.js';
import { newSecret, type PersonalKey, secretFromText, secretToText } from './personal-cipher.js';

/** The transaction whose entries are enciphered. */
export interface KeyTarget {
  readonly entityManager: SqlEntityManager;
  readonly transaction: Transaction;
  /** Runs `callback` when the transaction has committed. */
  onCommit(callback: () => void): void;
}

interface CachedKey extends PersonalKey {
  readonly staleAt: number;
}

/** How long a process goes on writing under a key that another one has destroyed: what it writes then is erased at once. */
const TTL_MS = 60_000;
const MAX_CACHED = 10_000;

/**
 * Keys for what is about to be written: those of a process's last minute from memory, else the person's from the table,
 * else a new one, written along with the entries. No key is waited for, and none of a transaction that may still fail is
 * used outside of it.
 */
@Injectable()
export class PersonalKeys {
  readonly #cached = new Map<string, CachedKey>();
  readonly #ofTransaction = new WeakMap<Transaction, Map<string, PersonalKey>>();
  /** Made by this process, and not committed: good for this transaction, and not to be kept for others. */
  readonly #fresh = new Set<string>();

  /** A key for each subject, on the transaction. */
  async get(target: KeyTarget, tenantId: string, subjects: Iterable<string>): Promise<Map<string, PersonalKey>> {
    const keys = new Map<string, PersonalKey>();
    const own = this.#ofTransaction.get(target.transaction);
    const missing: string[] = [];
    for (const subject of new Set(subjects)) {
      const key = this.#find(tenantId, subject) ?? own?.get(subject);
      if (key) keys.set(subject, key);
      else missing.push(subject);
    }
    if (missing.length === 0) return keys;
    for (const [subject, key] of await this.#read(target, tenantId, missing)) keys.set(subject, key);
    await this.#make(
      target,
      tenantId,
      missing.filter((subject) => !keys.has(subject)),
      keys,
    );
    return keys;
  }

  /** Forgets the keys of one subject, or of all of a tenant: they are being destroyed. */
  forget(tenantId: string, subject = ''): void {
    for (const name of this.#cached.keys()) if (name.startsWith(`${tenantId} ${subject}`)) this.#cached.delete(name);
  }

  #find(tenantId: string, subject: string): PersonalKey | undefined {
    const cached = this.#cached.get(`${tenantId} ${subject}`);
    return cached && cached.staleAt > Date.now() ? cached : undefined;
  }

  async #read({ entityManager, transaction }: KeyTarget, tenantId: string, subjects: readonly string[]) {
    const where = { tenantId, subject: { $in: subjects } };
    const rows = await entityManager
      .getDriver()
      .find(AuditSubjectKey, where as never, { ctx: transaction, schema: entityManager.schema });
    const keys = new Map<string, PersonalKey>();
    for (const { id, subject, secret } of rows as unknown as AuditSubjectKey[]) {
      if (keys.has(subject)) continue;
      const key = { id, secret: secretFromText(secret) };
      keys.set(subject, key);
      if (!this.#fresh.has(id)) this.#keep(`${tenantId} ${subject}`, key);
    }
    return keys;
  }

  async #make(
    target: KeyTarget,
    tenantId: string,
    subjects: readonly string[],
    into: Map<string, PersonalKey>,
  ): Promise<void> {
    if (subjects.length === 0) return;
    const made = subjects.map((): PersonalKey => ({ id: newId(), secret: newSecret() }));
    await appendRows(target, AuditSubjectKey, {
      count: made.length,
      own: {
        id: made.map(({ id }) => id),
        subject: subjects,
        secret: made.map(({ secret }) => secretToText(secret)),
      },
      shared: { tenantId },
    });
    // Not before: what could not be written is no key.
    const own = this.#ofTransaction.get(target.transaction) ?? new Map<string, PersonalKey>();
    this.#ofTransaction.set(target.transaction, own);
    for (const [index, subject] of subjects.entries()) {
      const key = made[index] as PersonalKey;
      into.set(subject, key);
      own.set(subject, key);
      this.#fresh.add(key.id);
      target.onCommit(() => {
        this.#fresh.delete(key.id);
        this.#keep(`${tenantId} ${subject}`, key);
      });
    }
  }

  #keep(name: string, key: PersonalKey): void {
    const [oldest] = this.#cached.keys();
    if (this.#cached.size >= MAX_CACHED && oldest !== undefined) this.#cached.delete(oldest);
    // What was rolled back is never asked for again.
    if (this.#fresh.size >= MAX_CACHED) this.#fresh.clear();
    this.#cached.set(name, { ...key, staleAt: Date.now() + TTL_MS });
  }
}
