import { DEMO_OPERATOR } from '../config/app.config.js';
import { demoTenants } from './demo-tenants.js';

/** A command that logs in and puts the access token into a shell variable. Needs nothing but curl and sed. */
function logIn(url: string, variable: string, { email, password }: { email: string; password: string }): string {
  const body = JSON.stringify({ email, password });
  const token = `sed 's/.*"accessToken":"\\([^"]*\\)".*/\\1/'`;
  return `${variable}=$(curl -s ${url}/v1/auth/login -H 'content-type: application/json' -d '${body}' | ${token})`;
}

const list = (url: string, variable: string) =>
  `curl -s "${url}/v1/products?limit=2" -H "authorization: Bearer $${variable}"`;

/** What a newcomer needs to try two tenants: where, as whom, and three lines to paste. */
export function describeDemo(url: string): string {
  const [acme, globex] = demoTenants;
  const logins = [acme, globex].map(
    ({ slug, owner }) => `  ${slug.padEnd(9)} ${owner.email.padEnd(24)} ${owner.password}`,
  );
  return [
    '',
    `Rowhouse listens on ${url}   API page: ${url}/docs`,
    '',
    'Demo logins:',
    ...logins,
    `  operator  ${DEMO_OPERATOR.email.padEnd(24)} ${DEMO_OPERATOR.password}`,
    '',
    'Two tenants, two shards, one server. Paste these three lines: each lists what only its own tenant sees, and the',
    "last asks with acme's token for globex.",
    '',
    `${logIn(url, 'ACME', acme.owner)}; ${list(url, 'ACME')}; echo`,
    `${logIn(url, 'GLOBEX', globex.owner)}; ${list(url, 'GLOBEX')}; echo`,
    `${list(url, 'ACME')} -H 'x-tenant: globex'; echo`,
    '',
    'Ctrl-C stops the server; the data stays.',
    '',
  ].join('\n');
}
