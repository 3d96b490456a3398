import { Module } from '@nestjs/common';
import { AuthController } from './auth.controller.js';
import { AuthService } from './auth.service.js';
import { SessionsController } from './sessions.controller.js';

/** Log-in and sessions over HTTP. */
@Module({ controllers: [AuthController, SessionsController], providers: [AuthService] })
export class AuthModule {}
