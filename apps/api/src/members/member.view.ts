import type { Membership, User } from '#libs/identity';

/** A member as the tenant sees one. The id is the person's: the same in every tenant they belong to. */
export function toMemberView({ id, email, name }: User, { role, createdAt }: Membership) {
  return { id, email, name, role, createdAt: createdAt.toISOString() };
}
