/** A tenant that exists so that the kit can be tried at once. Never made in production. */
export interface DemoTenant {
  readonly slug: string;
  readonly name: string;
  readonly owner: { readonly email: string; readonly password: string; readonly name: string };
}

/** Two tenants: what one of them sees, the other must not. */
export const demoTenants: readonly [DemoTenant, DemoTenant] = [
  {
    slug: 'acme',
    name: 'Acme Software Store',
    owner: { email: 'owner@acme.example', password: 'acme-demo-password', name: 'Ada Acme' },
  },
  {
    slug: 'globex',
    name: 'Globex Books',
    owner: { email: 'owner@globex.example', password: 'globex-demo-password', name: 'Gil Globex' },
  },
];
