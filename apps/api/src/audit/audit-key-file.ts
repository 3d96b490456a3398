import { randomUUID } from 'node:crypto';
import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { AuditKeyRing, AuditKeys } from '#libs/audit';
import { ConfigError } from '../config/config.error.js';
import { makeFile } from '../config/make-file.js';

/** Keys of the audit trail in a file that only its owner may read: made at the first use, read again when it changes. */
export class AuditKeyFile extends AuditKeys {
  #ring: AuditKeyRing | undefined;
  #seen = '';
  #lookAt = 0;

  constructor(readonly path: string) {
    super();
  }

  /** @throws {ConfigError} when the file is there and holds no keys, is gone while they are in use, or cannot be made */
  ring(): AuditKeyRing {
    // Asked for every transaction, and a rotation may take a second to be seen.
    if (this.#ring && performance.now() < this.#lookAt) return this.#ring;
    const state = this.#state() ?? this.#make();
    if (!this.#ring || state !== this.#seen) this.#ring = this.#read();
    this.#seen = state;
    this.#lookAt = performance.now() + 1000;
    return this.#ring;
  }

  override fresh(): AuditKeyRing {
    this.#lookAt = 0;
    return this.ring();
  }

  /** Puts another ring in the place of the present one, for every process that reads the file. */
  replace(ring: AuditKeyRing): void {
    const fresh = `${this.path}.${randomUUID()}`;
    writeFileSync(fresh, ring.toText(), { mode: 0o600 });
    // In one step: nobody reads half a file.
    renameSync(fresh, this.path);
    this.#lookAt = 0;
  }

  #state(): string | undefined {
    const stat = statSync(this.path, { throwIfNoEntry: false });
    return stat && `${stat.ino} ${stat.mtimeMs} ${stat.size}`;
  }

  #make(): string {
    // What the keys in use have sealed would be lost with them, without a word.
    if (this.#ring) throw this.#failure('is gone; bring it back from a backup');
    try {
      makeFile(this.path, AuditKeyRing.create().toText());
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw this.#failure(`cannot be made (${code}); make its folder writable, on a file system that has links`);
    }
    return this.#state() ?? '';
  }

  #read(): AuditKeyRing {
    try {
      return AuditKeyRing.parse(readFileSync(this.path, 'utf8'));
    } catch (error) {
      throw this.#failure(`holds no audit keys (${(error as Error).message}); bring the file back from a backup`);
    }
  }

  #failure(what: string): ConfigError {
    return new ConfigError([{ name: 'AUDIT_KEYS_FILE', remedy: `the file "${this.path}" ${what}` }]);
  }
}
