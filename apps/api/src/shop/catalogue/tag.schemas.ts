import { z } from 'zod';
import { line } from './line.schema.js';

/** Quotes and backslashes have no place in a tag: products keep theirs as JSON text. */
export const tagNameSchema = line(50).regex(/^[^"\\]*$/, 'Must not contain quotes or backslashes.');

const description = z.string().trim().min(1).max(500).nullable();

export const newTagSchema = z
  .strictObject({ name: tagNameSchema, description: description.optional() })
  .meta({ id: 'NewTag' });
export type NewTag = z.output<typeof newTagSchema>;

/** RFC 7396: what is absent stays, `null` removes. */
export const tagPatchSchema = z.strictObject({ name: tagNameSchema, description }).partial().meta({ id: 'TagPatch' });
export type TagPatch = z.output<typeof tagPatchSchema>;
