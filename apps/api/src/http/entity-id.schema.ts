import { validate as isUuid, NIL } from 'uuid';
import { z } from 'zod';

/**
 * The id of an entity in a body. Ids are opaque to clients: what is none of ours becomes the one that nothing has, and is
 * answered like an id that never existed.
 */
export const entityIdSchema = z
  .string()
  .min(1)
  .max(100)
  .transform((id) => (isUuid(id) ? id.toLowerCase() : NIL));
