/** What a member may be allowed to do, as `<area>:<read|write>`. */
export type Permission = 'catalogue:read' | 'catalogue:write' | 'audit:read' | 'members:write';

/** Role of a member within one tenant. */
export type Role = 'owner' | 'admin' | 'member' | 'viewer';

const MEMBER: readonly Permission[] = ['catalogue:read', 'catalogue:write'];
const ADMIN: readonly Permission[] = [...MEMBER, 'audit:read', 'members:write'];

const permissions: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  owner: new Set(ADMIN),
  admin: new Set(ADMIN),
  member: new Set(MEMBER),
  viewer: new Set<Permission>(['catalogue:read']),
};

/** Whether `role` includes `permission`. */
export function hasPermission(role: Role, permission: Permission): boolean {
  return permissions[role].has(permission);
}
