import { SetMetadata } from '@nestjs/common';

export const SHOWN_ONCE = 'rowhouse:shown-once';

/**
 * Names the properties of an answer that are shown once and stored nowhere, such as a new key. A repeated request gets
 * them as `null`: the work is not done twice, and no secret lies in a table to make that possible.
 */
export const ShownOnce = (...properties: string[]) => SetMetadata<string, readonly string[]>(SHOWN_ONCE, properties);
