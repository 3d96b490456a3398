import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGunzip } from 'node:zlib';
import { Money } from '#libs/persistence';
import type { ProductDetails } from './import-model.js';

/** A product as an import brings it. */
export interface ImportedProduct extends ProductDetails {
  readonly tags: string[];
  readonly downloadSizeKb: number;
}

interface DebianPackage {
  readonly sku: string;
  readonly name: string;
  readonly section: string;
  readonly priority: string;
  readonly installedSizeKb: number;
  readonly downloadBytes: number;
}

/** Rows of the sample that stands in where the file is missing: as many, and about as long. */
const SAMPLE_ROWS = 63_666;

/** `DEBIAN_PACKAGES`, relative to the repository. */
const file = fileURLToPath(
  new URL(
    process.env.DEBIAN_PACKAGES ?? '../shared/data/debian-packages.ndjson.gz',
    new URL('../../', import.meta.url),
  ),
);

/** Where the products come from, for people. */
export const source = existsSync(file) ? 'the packages of Debian' : 'made-up packages (DEBIAN_PACKAGES names no file)';

function toProduct(line: string): ImportedProduct {
  const { sku, name, section, priority, installedSizeKb, downloadBytes } = JSON.parse(line) as DebianPackage;
  return {
    sku,
    name: name.slice(0, 255),
    price: new Money(installedSizeKb % 10_000, 'EUR'),
    tags: [section, priority],
    downloadSizeKb: Math.ceil(downloadBytes / 1024),
  };
}

function sampleLine(i: number): string {
  const name = `Package number ${i} of a made-up distribution`;
  const sizes = { installedSizeKb: i, downloadBytes: i };
  return JSON.stringify({ sku: `package-${i}`, name, section: 'misc', priority: 'optional', ...sizes });
}

async function* lines(): AsyncIterable<string> {
  if (existsSync(file)) yield* createInterface({ input: createReadStream(file).pipe(createGunzip()) });
  else for (let i = 0; i < SAMPLE_ROWS; i++) yield sampleLine(i);
}

/** The products one by one, read as they are asked for. */
export async function* products(): AsyncIterable<ImportedProduct> {
  for await (const line of lines()) yield toProduct(line);
}
