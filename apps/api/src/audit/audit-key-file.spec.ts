import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AuditKeyRing } from '#libs/audit';
import { ConfigError } from '../config/config.error.js';
import { AuditKeyFile } from './audit-key-file.js';

describe('the file of audit keys', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'rowhouse-keys-'));
    path = join(folder, 'audit-keys.json');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is made once, for its owner alone, and is the same for all', () => {
    const made = new AuditKeyFile(path).ring();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(new AuditKeyFile(path).ring().publicKeys()).toEqual(made.publicKeys());
    expect(readdirSync(folder)).toEqual(['audit-keys.json']);
  });

  it('is read again at once by who has to know', () => {
    const [file, other] = [new AuditKeyFile(path), new AuditKeyFile(path)];
    const before = file.ring();
    const rotated = before.rotate();
    other.replace(rotated);
    expect(file.ring().activeId).toBe(before.activeId);
    expect(file.fresh().activeId).toBe(rotated.activeId);
  });

  it('is not made anew while its keys are in use: what they sealed would be lost without a word', () => {
    const file = new AuditKeyFile(path);
    const ring = file.ring();
    file.replace(ring);
    rmSync(path);
    expect(() => file.ring()).toThrow(ConfigError);
    file.replace(AuditKeyRing.parse(ring.toText()));
    expect(file.ring().publicKeys()).toEqual(ring.publicKeys());
  });
});
