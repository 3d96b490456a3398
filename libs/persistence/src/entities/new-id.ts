import { randomFillSync } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';

const BYTES_PER_ID = 16;

/** Random bytes, drawn for 256 ids at once: drawn for each, they take longer than all the rest of an import's row. */
const pool = Buffer.alloc(256 * BYTES_PER_ID);
let used = pool.length;

let lastMs = 0;
let sequence = 0;

function drawBytes(): Buffer {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += BYTES_PER_ID;
  return pool.subarray(used - BYTES_PER_ID, used);
}

/**
 * A new UUIDv7. Ids of one process grow, also within a millisecond and when its clock is set back, so that rows in order
 * of their ids are rows in order of their making.
 */
export function newId(): string {
  const random = drawBytes();
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    // The top bit is left free: a millisecond never has the two thousand million ids that would overflow.
    sequence = random.readUInt32BE(6) >>> 1;
  } else {
    sequence++;
  }
  return uuidv7({ random, msecs: lastMs, seq: sequence });
}
