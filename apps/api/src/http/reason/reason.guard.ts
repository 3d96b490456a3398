import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { currentContext } from '#libs/context';
import { ReasonRequiredError } from '../errors/reason-required.error.js';
import { REASON_REQUIRED } from './require-reason.decorator.js';

/** Stands before routes with `@RequireReason()`. After the access guard: who may not call a route learns nothing of it. */
@Injectable()
export class ReasonGuard implements CanActivate {
  constructor(private readonly reflector: Reflector) {}

  /** @throws {ReasonRequiredError} */
  canActivate(execution: ExecutionContext): true {
    const places = [execution.getHandler(), execution.getClass()];
    const isRequired = this.reflector.getAllAndOverride<boolean | undefined>(REASON_REQUIRED, places);
    if (isRequired && currentContext().reason === undefined) throw new ReasonRequiredError();
    return true;
  }
}
