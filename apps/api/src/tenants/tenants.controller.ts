import { Body, Controller, Post } from '@nestjs/common';
import { Public } from '../http/access.decorators.js';
import { type SignUp, signUpSchema } from './sign-up.schemas.js';
import { SignUpService } from './sign-up.service.js';
import { toTenantView } from './tenant.view.js';

/** Sign-up: the one way in for somebody who has nothing yet. */
@Controller('v1/tenants')
export class TenantsController {
  constructor(private readonly signUps: SignUpService) {}

  @Public()
  @Post()
  async signUp(@Body({ schema: signUpSchema }) body: SignUp) {
    const { tenant, owner } = await this.signUps.signUp(body);
    return { tenant: toTenantView(tenant), owner: { id: owner.id, email: owner.email } };
  }
}
