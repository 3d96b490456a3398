import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';

export const REASON_REQUIRED = 'rowhouse:reason-required';

/**
 * Runs this route, or every route of this controller, only for those who say why: without `X-Audit-Reason` it answers 400
 * `reason_required` and does nothing. The reason stands in every audit entry of the request. For looking into, or
 * changing, what nobody should without cause.
 */
export const RequireReason = () =>
  applyDecorators(
    SetMetadata(REASON_REQUIRED, true),
    ApiHeader({ name: 'X-Audit-Reason', required: true, description: 'why; stands in the audit trail' }),
  );
