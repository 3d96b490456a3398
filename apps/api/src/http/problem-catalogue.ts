import type * as audit from '#libs/audit';
import type * as context from '#libs/context';
import type * as identity from '#libs/identity';
import type * as persistence from '#libs/persistence';
import type * as sharding from '#libs/sharding';
import type * as tenancy from '#libs/tenancy';
import type { ShopErrorCode } from '../shop/errors/shop.error.js';
import type { HttpErrorCode } from './errors/http.error.js';

/** The literal code of an error; nothing for what is no error (Nest's module classes have a base of type `any`). */
type CodeOf<Instance> = Instance extends Error & { readonly code: infer Code extends string }
  ? string extends Code
    ? never
    : Code
  : never;

/** The codes of all error classes that a lib's face exports. */
type CodesOf<Face> = {
  [Name in keyof Face]: Face[Name] extends new (...args: never) => infer Instance ? CodeOf<Instance> : never;
}[keyof Face];

/** Every code an error of ours can carry. */
export type ErrorCode =
  | CodesOf<typeof audit>
  | CodesOf<typeof context>
  | HttpErrorCode
  | CodesOf<typeof identity>
  | CodesOf<typeof persistence>
  | CodesOf<typeof sharding>
  | ShopErrorCode
  | CodesOf<typeof tenancy>;

/** How an error code is answered. */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** The code the client sees, where it is another one than the error's. */
  readonly code?: string;
  /** What the client is told instead of the error's message, which is for operators. */
  readonly detail?: string;
}

/** A mistake of ours: logged with its cause, and the client learns nothing of it. */
const INTERNAL: ProblemKind = { status: 500, title: 'Internal error', code: 'internal' };

/** Which shard a tenant lives on, and what else lives there, is nobody's business but the operator's. */
const SHARD_UNAVAILABLE: ProblemKind = {
  status: 503,
  title: 'Shard unavailable',
  code: 'shard_unavailable',
  detail: 'Your data cannot be reached at the moment. Try again after as many seconds as Retry-After says.',
};

/**
 * Error code → answer. Exhaustive: an error class whose code has no line here does not compile, so that no failure is
 * answered by chance.
 */
export const problemCatalogue: Readonly<Record<ErrorCode, ProblemKind>> = {
  across_tenants_denied: { status: 403, title: 'Forbidden', code: 'forbidden' },
  across_tenants_ended: INTERNAL,
  across_tenants_unbound: INTERNAL,
  ambiguous_credentials: { status: 400, title: 'Bad request', code: 'bad_request' },
  ambiguous_identity: INTERNAL,
  append_only: INTERNAL,
  atomic_unsupported: INTERNAL,
  audit_entry_not_found: { status: 404, title: 'Not found', code: 'not_found' },
  audit_pause_refused: INTERNAL,
  audit_trail_readonly: INTERNAL,
  bad_request: { status: 400, title: 'Bad request' },
  balance_limit: { status: 409, title: 'Conflict', code: 'conflict' },
  bulk_key_not_unique: INTERNAL,
  bulk_row_class_mismatch: { status: 409, title: 'Conflict', code: 'conflict' },
  bulk_row_invalid: { status: 400, title: 'Invalid input', code: 'invalid_input' },
  bulk_row_missing: { status: 404, title: 'Not found', code: 'not_found' },
  bulk_row_refused: { status: 409, title: 'Conflict', code: 'conflict' },
  bulk_row_tenant_mismatch: INTERNAL,
  bulk_row_version_conflict: { status: 412, title: 'Version conflict', code: 'version_conflict' },
  bulk_unsupported: INTERNAL,
  bulk_write_lost: INTERNAL,
  chooser_failed: INTERNAL,
  commit_failed: INTERNAL,
  conflict: { status: 409, title: 'Conflict' },
  connection_held: INTERNAL,
  connection_mismatch: INTERNAL,
  item_not_loaded: INTERNAL,
  cross_shard_association: INTERNAL,
  cross_shard_write: INTERNAL,
  domain_not_verified: { status: 409, title: 'Conflict', code: 'conflict' },
  domain_taken: { status: 409, title: 'Conflict', code: 'conflict' },
  endless_changes: INTERNAL,
  entity_manager_of_another_tenant: INTERNAL,
  entity_not_tenant_scoped: INTERNAL,
  erasure_incomplete: { status: 409, title: 'Conflict', code: 'conflict' },
  fan_out_unsupported: INTERNAL,
  flush_in_flush: INTERNAL,
  forbidden: { status: 403, title: 'Forbidden' },
  foreign_entity: INTERNAL,
  // A reference to somebody else's row is answered like a reference to nothing.
  foreign_tenant: { status: 404, title: 'Not found', code: 'not_found' },
  hold_not_found: { status: 404, title: 'Not found', code: 'not_found' },
  idempotency_conflict: { status: 422, title: 'Idempotency conflict' },
  insufficient_funds: { status: 409, title: 'Insufficient funds' },
  internal: INTERNAL,
  invalid_cursor: { status: 400, title: 'Invalid input', code: 'invalid_input' },
  invalid_domain: { status: 400, title: 'Invalid input', code: 'invalid_input' },
  invalid_export: INTERNAL,
  invalid_input: { status: 400, title: 'Invalid input' },
  invalid_proof_range: { status: 409, title: 'Conflict', code: 'conflict' },
  invalid_shard_cursor: { status: 400, title: 'Invalid input', code: 'invalid_input' },
  invalid_shards: INTERNAL,
  invalid_slots: INTERNAL,
  invalid_slug: { status: 400, title: 'Invalid input', code: 'invalid_input' },
  invitation_not_found: { status: 404, title: 'Not found', code: 'not_found' },
  last_owner: { status: 409, title: 'Conflict', code: 'conflict' },
  // Somebody else is at it: the same request may succeed a moment later.
  lock_unavailable: { status: 409, title: 'Conflict', code: 'conflict' },
  lock_unsupported: INTERNAL,
  malformed_json: { status: 400, title: 'Malformed JSON' },
  member_exists: { status: 409, title: 'Conflict', code: 'conflict' },
  member_not_found: { status: 404, title: 'Not found', code: 'not_found' },
  no_context: INTERNAL,
  not_found: { status: 404, title: 'Not found' },
  number_out_of_range: { status: 400, title: 'Invalid input', code: 'invalid_input' },
  operation_refused: INTERNAL,
  order_paid: { status: 409, title: 'Conflict', code: 'conflict' },
  out_of_stock: { status: 409, title: 'Out of stock' },
  payload_too_large: { status: 413, title: 'Payload too large' },
  placement_unavailable: SHARD_UNAVAILABLE,
  // Busy rather than away; what a client does about it is the same.
  pool_exhausted: {
    ...SHARD_UNAVAILABLE,
    detail: 'Too many requests wait for your data at the moment. Try again after as many seconds as Retry-After says.',
  },
  rate_limited: { status: 429, title: 'Too many requests' },
  read_only_transaction: INTERNAL,
  reason_required: { status: 400, title: 'Reason required' },
  reference_entity: INTERNAL,
  request_in_flight: { status: 409, title: 'Conflict', code: 'conflict' },
  retention_too_short: { status: 409, title: 'Conflict', code: 'conflict' },
  revert_conflict: { status: 409, title: 'Conflict', code: 'conflict' },
  row_not_written: { status: 409, title: 'Conflict', code: 'conflict' },
  row_security: INTERNAL,
  sealing_not_configured: INTERNAL,
  search_too_wide: { status: 400, title: 'Search too wide' },
  shard_closed: SHARD_UNAVAILABLE,
  shard_key_changed: INTERNAL,
  shard_not_chosen: INTERNAL,
  shard_unavailable: SHARD_UNAVAILABLE,
  slot_occupied: INTERNAL,
  slug_taken: { status: 409, title: 'Slug taken' },
  statement_refused: INTERNAL,
  storage_full: {
    status: 503,
    title: 'Storage full',
    detail:
      'There is no room left for your data, and nothing of this request was kept. Try again after as many seconds as Retry-After says.',
  },
  strategy_unsupported: { status: 400, title: 'Invalid input', code: 'invalid_input' },
  tenant_ambiguous: { status: 400, title: 'Tenant ambiguous' },
  tenant_immutable: INTERNAL,
  tenant_mismatch: { status: 403, title: 'Tenant mismatch' },
  tenant_move_refused: { status: 409, title: 'Conflict', code: 'conflict' },
  tenant_moving: {
    status: 503,
    title: 'Tenant moving',
    detail:
      'Your data is being moved: it can be read, and not be changed. Try again after as many seconds as Retry-After says.',
  },
  tenant_not_archived: { status: 409, title: 'Conflict', code: 'conflict' },
  tenant_not_found: { status: 404, title: 'Not found', code: 'not_found' },
  tenant_pools_exhausted: SHARD_UNAVAILABLE,
  tenant_required: { status: 400, title: 'Tenant required' },
  tenant_suspended: { status: 403, title: 'Tenant suspended' },
  trail_broken: INTERNAL,
  too_many_groups: INTERNAL,
  transaction_conflict: { status: 409, title: 'Conflict', code: 'conflict' },
  transaction_nesting: INTERNAL,
  transaction_pooler: INTERNAL,
  transaction_required: INTERNAL,
  unannounced_write: INTERNAL,
  unauthenticated: { status: 401, title: 'Unauthenticated' },
  unit_of_work_broken: INTERNAL,
  unknown_audit_key: INTERNAL,
  unknown_audited_property: INTERNAL,
  unknown_engine: INTERNAL,
  unknown_shard: INTERNAL,
  unsaved_changes: INTERNAL,
  unsupported_media_type: { status: 415, title: 'Unsupported media type' },
  version_conflict: { status: 412, title: 'Version conflict' },
  version_not_found: { status: 404, title: 'Not found', code: 'not_found' },
  witnesses_missing: INTERNAL,
};
