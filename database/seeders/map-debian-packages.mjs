// Maps rows of a package catalogue to digital products, one JSON object a line, as POST /v1/products/import takes them.
//
//   node database/seeders/map-debian-packages.mjs <packages.ndjson[.gz]> [how many] > products.ndjson
//
// A row is { sku, name, section, priority, installedSizeKb, downloadBytes, … }. Packages are free; the price is made up
// of their size, so that lists can be ordered by it.
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';

/** One package as a product. */
export function toDigitalProduct({ sku, name, section, priority, installedSizeKb, downloadBytes }) {
  return {
    type: 'digital',
    sku,
    name,
    price: { amount: 99 + (installedSizeKb % 9_900), currency: 'EUR' },
    tags: [...new Set([section, priority].filter(Boolean))],
    downloadSizeKb: Math.ceil(downloadBytes / 1024),
  };
}

/** The products of a catalogue file, packed or not. */
export async function* readProducts(file, most = Number.POSITIVE_INFINITY) {
  const bytes = createReadStream(file);
  const text = file.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes;
  let count = 0;
  for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
    if (count++ >= most) break;
    yield toDigitalProduct(JSON.parse(line));
  }
  bytes.destroy();
}

if (import.meta.main ?? process.argv[1] === import.meta.filename) {
  const [file, most] = process.argv.slice(2);
  if (!file) {
    console.error('Usage: node database/seeders/map-debian-packages.mjs <packages.ndjson[.gz]> [how many]');
    process.exit(2);
  }
  const products = readProducts(file, most === undefined ? undefined : Number(most));
  await pipeline(
    products,
    async function* (source) {
      for await (const product of source) yield `${JSON.stringify(product)}\n`;
    },
    process.stdout,
  );
}
