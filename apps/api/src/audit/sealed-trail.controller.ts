import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query } from '@nestjs/common';
import {
  AUDIT_MODULE_OPTIONS,
  type AuditModuleOptions,
  AuditProofs,
  AuditTrail,
  AuditVerifier,
  type VerifyOptions,
} from '#libs/audit';
import { RequirePermission } from '../http/access.decorators.js';
import { EntityIdPipe } from '../http/entity-id.pipe.js';
import {
  type ConsistencyQuery,
  consistencyQuerySchema,
  type VerifyInput,
  verifySchema,
} from './sealed-trail.schemas.js';
import { toVerdictView } from './verdict.view.js';

/** Proof that the trail of the caller's tenant is whole. */
@RequirePermission('audit:read')
@Controller('v1/audit')
export class SealedTrailController {
  constructor(
    private readonly trail: AuditTrail,
    private readonly verifier: AuditVerifier,
    private readonly proofs: AuditProofs,
    @Inject(AUDIT_MODULE_OPTIONS) private readonly options: AuditModuleOptions,
  ) {}

  /** Verifies the whole trail. */
  @Get('verify')
  verify() {
    return this.#verify({});
  }

  /** The same, against a checkpoint that was kept elsewhere: it tells an older copy of the database from the real one. */
  @Post('verify')
  @HttpCode(200)
  verifyAgainst(@Body({ schema: verifySchema }) { checkpoint }: VerifyInput) {
    return this.#verify({ against: checkpoint });
  }

  /** Keep the last one somewhere else. Not on record: it tells a size and hashes, and would be out of date by having been read. */
  @Get('checkpoints')
  async checkpoints() {
    return { data: await this.verifier.checkpoints(), keys: this.options.keys?.fresh().publicKeys() ?? [] };
  }

  /** That the trail of an earlier checkpoint is the beginning of the present one. Hashes alone, and so not on record. */
  @Get('consistency')
  consistency(@Query({ schema: consistencyQuerySchema }) { from }: ConsistencyQuery) {
    return this.proofs.consistency(from);
  }

  /** That the trail holds this entry. */
  @Get(':id/proof')
  async inclusion(@Param('id', EntityIdPipe) id: string) {
    const proof = await this.proofs.inclusion(id);
    await this.trail.record({ action: 'audit_read', details: { proofOf: id } });
    return proof;
  }

  async #verify(options: VerifyOptions) {
    return toVerdictView(await this.trail.verify(options));
  }
}
