import { applyDecorators, SetMetadata } from '@nestjs/common';
import { ApiSecurity } from '@nestjs/swagger';
import type { Permission } from '#libs/identity';

/** What a route asks of its caller. Without a decorator: any member of a tenant, and no API key. */
export type Access =
  | 'public'
  | 'credentials'
  | 'account'
  | 'operator'
  | { readonly permissions: readonly Permission[] };

export const ACCESS = 'rowhouse:access';

/** Anybody may call this route, signed in or not. */
export const Public = () => applyDecorators(SetMetadata<string, Access>(ACCESS, 'public'), ApiSecurity({}));

/** Anybody with valid credentials: people, with or without a tenant, and API keys. */
export const AnyCredentials = () => SetMetadata<string, Access>(ACCESS, 'credentials');

/** Any person who is signed in, with or without a tenant. */
export const AnyAccount = () => SetMetadata<string, Access>(ACCESS, 'account');

/** Platform operators only. Such a route works for no tenant: tenant-owned data is out of its reach. */
export const OperatorOnly = () => SetMetadata<string, Access>(ACCESS, 'operator');

/** Members of the tenant whose role includes all of `permissions`, and its API keys that include them. */
export const RequirePermission = (...permissions: readonly [Permission, ...Permission[]]) =>
  SetMetadata<string, Access>(ACCESS, { permissions });
