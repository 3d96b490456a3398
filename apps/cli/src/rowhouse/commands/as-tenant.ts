import { type Actor, currentContext, runAs } from '#libs/context';
import { TenantStore } from '#libs/tenancy';
import type { CliCall } from '../cli-command.js';

/** The argument that names a tenant. */
export const TENANT_ARGUMENT = ['<tenant>', 'its slug'] as const;

/** Who runs the command. */
export function actorOfCommand(): Actor {
  return currentContext().actor as Actor;
}

/** Runs `fn` for the tenant of the first argument, as the command itself: its trail tells that an operator was there. */
export async function asTenant<T>({ app, args: [slug = ''] }: CliCall, fn: () => Promise<T>): Promise<T> {
  const tenant = await (await app()).get(TenantStore).getBySlug(slug);
  return runAs({ tenant, actor: actorOfCommand() }, fn);
}
