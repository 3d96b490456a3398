import { v7 as uuidv7 } from 'uuid';
import type { ContextTenant } from '#libs/context';

/** A tenant that no other case knows, so that cases can share a database. */
export function aTenant(slug = 'acme'): ContextTenant {
  return { id: uuidv7(), slug };
}
