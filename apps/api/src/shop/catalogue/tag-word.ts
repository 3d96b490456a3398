import { v5 as uuidv5 } from 'uuid';

/** Only makes the names of words differ from other names. */
const NAMESPACE = 'c9a1e6a4-6d5c-4f0e-9a55-1f6d2b8f0c3a';

/**
 * What tells words apart: the same for a word in any case and however its accents are written. No engine's own notion of
 * equal text has a part in it.
 */
export function wordKeyOf(word: string): string {
  return uuidv5(word.normalize('NFC').toLowerCase(), NAMESPACE);
}

/** Words by their keys, each as it was written first. */
export function byWordKey(words: Iterable<string>): Map<string, string> {
  const keys = new Map<string, string>();
  for (const word of words) {
    const key = wordKeyOf(word);
    if (!keys.has(key)) keys.set(key, word);
  }
  return keys;
}
