import { InvalidExportError } from '../errors/invalid-export.error.js';
import type { SignedPurge } from '../retention/purge-record.js';
import { AuditKeyRing, type AuditPublicKey } from '../sealing/audit-key-ring.js';
import type { SignedCheckpoint } from '../sealing/checkpoint.js';
import { TrailProof, type TrailVerdict } from '../sealing/trail-proof.js';
import type { SealedItem } from '../sealing/trail-rows.js';
import { EXPORT_FORMAT, type ExportLine } from './export-line.js';

/** What is known from elsewhere. */
export interface ExportTrust {
  /** Public keys that are trusted. Default: those in the export, which then proves no more than that it fits together. */
  readonly keys?: readonly AuditPublicKey[] | undefined;
  /** A checkpoint that was kept: an export that ends before it, or is of another history, does not pass. */
  readonly against?: SignedCheckpoint | undefined;
}

/** What an export shows: whether its trail holds together, whose it is, and how far the keys can be believed. */
export interface ExportVerdict extends TrailVerdict {
  readonly tenantId: string;
  /** Whether the keys came from elsewhere. */
  readonly trusted: boolean;
  readonly keyIds: readonly string[];
}

const PAGE = 1000;

/**
 * Verifies an export line by line, in constant memory, without a database.
 *
 * @param lines of the export, without line ends
 * @throws {InvalidExportError} it is none, or ends in the middle
 */
export async function verifyExport(
  lines: AsyncIterable<string>,
  { keys, against }: ExportTrust = {},
): Promise<ExportVerdict> {
  const reader = new ExportReader(lines);
  const { trail, checkpoints, purges } = await reader.readHead();
  const ring = new AuditKeyRing(keys ?? trail.keys);
  const proof = new TrailProof({
    tenantId: trail.tenantId,
    ring,
    checkpoint: trail.checkpoint,
    checkpoints,
    purges,
    latePurges: async () => reader.takeLatePurges(),
    mayOmit: !trail.isWhole,
    ...(against && { against }),
  });
  const verdict = await proof.run(reader.pages());
  return {
    ...verdict,
    tenantId: trail.tenantId,
    trusted: keys !== undefined,
    keyIds: ring.publicKeys().map(({ id }) => id),
  };
}

type LineOf<Kind extends ExportLine['kind']> = Extract<ExportLine, { readonly kind: Kind }>;

class ExportReader {
  readonly #lines: AsyncIterator<string>;
  #number = 0;
  #next: ExportLine | undefined;
  #latePurges: SignedPurge[] = [];

  constructor(lines: AsyncIterable<string>) {
    this.#lines = lines[Symbol.asyncIterator]();
  }

  async readHead() {
    const trail = await this.#read();
    if (trail?.kind !== 'trail') throw new InvalidExportError(1, 'it does not begin with the line of a trail');
    if (trail.format !== EXPORT_FORMAT)
      throw new InvalidExportError(1, `its format is ${trail.format}, not ${EXPORT_FORMAT}`);
    const checkpoints: SignedCheckpoint[] = [];
    const purges: SignedPurge[] = [];
    for (;;) {
      const line = await this.#read();
      if (line?.kind === 'checkpoint') checkpoints.push(line.checkpoint);
      else if (line?.kind === 'purge') purges.push(line.purge);
      else {
        this.#next = line;
        return { trail, checkpoints, purges };
      }
    }
  }

  /** Records that stand between the places, in front of those they are about. */
  takeLatePurges(): SignedPurge[] {
    return this.#latePurges.splice(0);
  }

  async *pages(): AsyncGenerator<SealedItem[]> {
    let page: SealedItem[] = [];
    let line = this.#next;
    for (; line && line.kind !== 'end'; line = await this.#read()) {
      if (line.kind === 'purge') {
        this.#latePurges.push(line.purge);
        continue;
      }
      page.push(toItem(line, this.#number));
      if (page.length === PAGE) {
        yield page;
        page = [];
      }
    }
    yield page;
    if (!line) throw new InvalidExportError(this.#number, 'it ends before its last line');
  }

  async #read(): Promise<ExportLine | undefined> {
    const { value, done } = await this.#lines.next();
    if (done) return undefined;
    this.#number++;
    try {
      return JSON.parse(value) as ExportLine;
    } catch {
      throw new InvalidExportError(this.#number, 'the line is no JSON');
    }
  }
}

function toItem(line: ExportLine, number: number): SealedItem {
  const { kind } = line;
  if (kind !== 'entry' && kind !== 'purged' && kind !== 'omitted') {
    throw new InvalidExportError(number, `a line of kind "${kind}" is out of place`);
  }
  const { position, id, leaf } = line;
  return { position, id, leaf, ...(kind === 'entry' && { entry: (line as LineOf<'entry'>).entry }) };
}
