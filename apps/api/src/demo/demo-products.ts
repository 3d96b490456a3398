import { createReadStream } from 'node:fs';

/** The products of a demo tenant, as a stream of JSON lines. They lie beside the migrations, in source and build alike. */
export function readDemoProducts(slug: string): AsyncIterable<Buffer> {
  return createReadStream(new URL(`../../../../database/seeders/${slug}-products.ndjson`, import.meta.url));
}
