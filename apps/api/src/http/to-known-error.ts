import {
  DeadlockException,
  ForeignKeyConstraintViolationException,
  OptimisticLockError,
  UniqueConstraintViolationException,
} from '@mikro-orm/core';
import { HttpException } from '@nestjs/common';
import { InvalidCursorError, RevertConflictError } from '#libs/audit';
import { TransactionConflictError } from '#libs/persistence';
import { BadRequestError } from './errors/bad-request.error.js';
import { ConflictError } from './errors/conflict.error.js';
import { HttpError } from './errors/http.error.js';
import { InternalError } from './errors/internal.error.js';
import { InvalidInputError } from './errors/invalid-input.error.js';
import { MalformedJsonError } from './errors/malformed-json.error.js';
import { NotFoundError } from './errors/not-found.error.js';
import { PayloadTooLargeError } from './errors/payload-too-large.error.js';
import { UnsupportedMediaTypeError } from './errors/unsupported-media-type.error.js';
import { VersionConflictError } from './errors/version-conflict.error.js';
import { type ErrorCode, problemCatalogue } from './problem-catalogue.js';

/** An error that the problem catalogue knows how to answer. */
export type KnownError = Error & { readonly code: ErrorCode };

function isKnown(error: unknown): error is KnownError {
  return error instanceof Error && 'code' in error && Object.hasOwn(problemCatalogue, String(error.code));
}

/** Fastify's own failures, by the start of their code. */
const fromFastify: readonly [prefix: string, make: (options: ErrorOptions) => HttpError][] = [
  ['FST_ERR_CTP_INVALID_JSON_BODY', (options) => new MalformedJsonError(options)],
  ['FST_ERR_CTP_EMPTY_JSON_BODY', (options) => new MalformedJsonError(options)],
  ['FST_ERR_CTP_BODY_TOO_LARGE', (options) => new PayloadTooLargeError(options)],
  ['FST_ERR_CTP_INVALID_MEDIA_TYPE', (options) => new UnsupportedMediaTypeError(options)],
  ['FST_ERR_NOT_FOUND', () => new NotFoundError()],
];

/** Failures of the frameworks, by status, when nothing more is known of them. */
function fromStatus(status: number, options: ErrorOptions): HttpError {
  if (status === 404 || status === 405) return new NotFoundError();
  if (status === 413) return new PayloadTooLargeError(options);
  if (status === 415) return new UnsupportedMediaTypeError(options);
  return status >= 400 && status < 500 ? new BadRequestError(options) : new InternalError(options);
}

/**
 * Turns whatever was thrown into an error the catalogue answers. What is not foreseen becomes an `InternalError` whose
 * cause is kept for the log.
 */
export function toKnownError(error: unknown): KnownError {
  if (error instanceof InvalidCursorError) {
    return new InvalidInputError([{ parameter: 'cursor', detail: error.message }]);
  }
  if (error instanceof RevertConflictError) {
    const errors = error.conflicts.map(({ property, detail }) => ({
      pointer: `/${property.replaceAll('.', '/')}`,
      detail,
    }));
    return new ConflictError(error.message, { cause: error }, errors);
  }
  if (isKnown(error)) return error;
  const options = { cause: error };
  if (error instanceof OptimisticLockError) return new VersionConflictError();
  // Nothing of it is kept, and nobody did anything wrong.
  if (error instanceof DeadlockException) return new TransactionConflictError(1, options);
  if (error instanceof UniqueConstraintViolationException) {
    return new ConflictError('Something with the same unique value exists already.', options);
  }
  if (error instanceof ForeignKeyConstraintViolationException) {
    return new ConflictError('Something else refers to this, or this to something that is gone.', options);
  }
  if (error instanceof HttpException) return fromStatus(error.getStatus(), options) as KnownError;
  const { code = '', statusCode } = (error ?? {}) as { code?: string; statusCode?: number };
  const known = fromFastify.find(([prefix]) => String(code).startsWith(prefix));
  if (known) return known[1](options) as KnownError;
  // JSON with a "__proto__" or "constructor" key: Fastify's parser refuses it with a bare SyntaxError.
  if (error instanceof SyntaxError && statusCode === 400) return new MalformedJsonError(options);
  return (statusCode ? fromStatus(statusCode, options) : new InternalError(options)) as KnownError;
}
