import { describe, expect, it } from '@jest/globals';
import { AuditEntry } from '../entities/audit-entry.entity.js';
import type { RecordedChanges } from '../recorded-changes.js';
import { differenceOf, foldHistory } from './fold-history.js';

function anEntry(action: string, changes: RecordedChanges): AuditEntry {
  const occurredAt = new Date(0);
  return Object.assign(new AuditEntry(), { action, entityName: 'Book', occurredAt, changes: JSON.stringify(changes) });
}

const created = anEntry('create', { title: { old: null, new: 'a' }, pages: { old: null, new: 1 } });
const renamed = anEntry('update', { name: { old: 'a', new: 'b' } });

describe('foldHistory', () => {
  it('reads old entries by the names that properties have now', () => {
    const state = foldHistory([created, renamed], 0, { title: 'name' });
    expect(state.values).toEqual({ name: 'a', pages: 1 });
    expect(foldHistory([created, renamed], 1, { title: 'name' }).values).toEqual({ name: 'b', pages: 1 });
  });

  it('keeps what a property without a present name said', () => {
    expect(foldHistory([created, renamed], 1).values).toEqual({ title: 'a', name: 'b', pages: 1 });
  });

  it('begins anew where a deleted row was made again', () => {
    const deleted = anEntry('delete', { name: { old: 'b', new: null }, tags: { added: [], removed: ['t'] } });
    const again = anEntry('create', { pages: { old: null, new: 2 } });
    expect(foldHistory([created, deleted, again], 2).values).toEqual({ pages: 2 });
  });

  it('keeps the links of a deleted row as its last ones', () => {
    const linked = anEntry('update', { tags: { added: ['t', 'u'], removed: [] } });
    const deleted = anEntry('delete', { name: { old: 'b', new: null }, tags: { added: [], removed: ['t', 'u'] } });
    expect(foldHistory([created, linked, deleted], 2)).toMatchObject({
      exists: false,
      collections: { tags: ['t', 'u'] },
      values: { name: 'b' },
    });
  });

  it('completes a history without a beginning from what later entries say was there, and tells when something is missing', () => {
    const first = anEntry('update', { name: { old: 'a', new: 'b' } });
    const second = anEntry('update', { pages: { old: 1, new: 2 } });
    const deleted = anEntry('delete', { name: { old: 'b', new: null }, isbn: { old: '978', new: null } });
    expect(foldHistory([first, second], 0)).toMatchObject({ values: { name: 'b', pages: 1 }, isComplete: false });
    expect(foldHistory([first, second, deleted], 0)).toMatchObject({
      values: { name: 'b', pages: 1, isbn: '978' },
      isComplete: true,
    });
  });
});

describe('differenceOf', () => {
  it('takes a property that one state lacks for null', () => {
    const [before, after] = [foldHistory([created], 0), foldHistory([created, renamed], 1)];
    expect(differenceOf(before, after)).toEqual({ name: { old: null, new: 'b' } });
  });
});
