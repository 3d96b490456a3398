import { z } from 'zod';

/** Printable text in one line. */
export const line = (maxLength: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .regex(/^\P{Cc}*$/u, 'Must be one line of printable text.');
