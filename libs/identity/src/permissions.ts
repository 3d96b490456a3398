/** What a member may be allowed to do, as `<area>:<read|write>`. */
export type Permission =
  | 'audit:read'
  | 'audit:write'
  | 'catalogue:read'
  | 'catalogue:write'
  | 'keys:read'
  | 'keys:write'
  | 'members:read'
  | 'members:write'
  | 'orders:read'
  | 'orders:write'
  | 'wallets:read'
  | 'wallets:write';

/** Role of a member within one tenant. */
export type Role = 'owner' | 'admin' | 'member' | 'viewer';

const VIEWER: readonly Permission[] = ['catalogue:read', 'members:read', 'orders:read', 'wallets:read'];
const MEMBER: readonly Permission[] = [...VIEWER, 'catalogue:write', 'orders:write', 'wallets:write'];
const ADMIN: readonly Permission[] = [
  ...MEMBER,
  'audit:read',
  'audit:write',
  'members:write',
  'keys:read',
  'keys:write',
];

/** A leaked key must not be able to make others like it, to let people in, or to cover its traces. */
const PEOPLE_ONLY: ReadonlySet<Permission> = new Set<Permission>([
  'audit:write',
  'members:write',
  'keys:read',
  'keys:write',
]);

const permissions: Readonly<Record<Role, ReadonlySet<Permission>>> = {
  owner: new Set(ADMIN),
  admin: new Set(ADMIN),
  member: new Set(MEMBER),
  viewer: new Set(VIEWER),
};

/** Whether `role` includes `permission`. */
export function hasPermission(role: Role, permission: Permission): boolean {
  return permissions[role].has(permission);
}

/** What an API key may be allowed by somebody of `role`: what they may do themselves, but for what is left to people. */
export function keyPermissionsOf(role: Role): Permission[] {
  return [...permissions[role]].filter((permission) => !PEOPLE_ONLY.has(permission));
}
