import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { verifyExport } from '#libs/audit';
import { ApiClient, type SignedUpTenant, signUp } from './support/api-client.js';
import { startTestApp, type TestApp } from './support/test-app.js';

/** With what ends a line for JavaScript, and not in JSON. */
const FORMULA = '=HYPERLINK("http://evil.example";"click")\u2028';

async function* linesOf(text: string): AsyncGenerator<string> {
  for (const line of text.split('\n')) if (line !== '') yield line;
}

describe('exports, purges, holds and erasures over HTTP', () => {
  let test: TestApp;
  let acme: SignedUpTenant;
  beforeAll(async () => {
    test = await startTestApp();
    acme = await signUp(test.app, 'acme');
    const price = { amount: 100, currency: 'EUR' };
    const book = { type: 'book', sku: 'f-1', name: FORMULA, price, isbn: '9783161484100' };
    await acme.owner.call('/v1/products', { body: book, headers: { 'user-agent': '@SUM(A1)' } });
  });
  afterAll(() => test.close());

  const actions = async () =>
    (await acme.owner.call('/v1/audit?limit=100')).body.data.map(({ action }: { action: string }) => action);

  it('exports lines that verify offline, on record, and only whole', async () => {
    const answer = await acme.owner.call('/v1/audit/export');
    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/x-ndjson' } });
    expect(await verifyExport(linesOf(answer.text))).toMatchObject({ ok: true, tenantId: acme.id, omitted: 0 });
    expect(await actions()).toContain('audit_exported');
    expect(answer.text).not.toContain('\u2028');
    const lines = answer.text.split('\n');
    const at = lines.findIndex((line) => line.includes('"action":"create"'));
    const changed = lines.with(at, (lines[at] as string).replace('"action":"create"', '"action":"delete"'));
    const position = (JSON.parse(lines[at] as string) as { position: number }).position;
    expect(await verifyExport(linesOf(changed.join('\n')))).toMatchObject({
      ok: false,
      fault: { kind: 'changed', position },
    });
    await expect(verifyExport(linesOf(lines.slice(0, -2).join('\n')))).rejects.toMatchObject({
      code: 'invalid_export',
    });
    // Seals what came since.
    await acme.owner.call('/v1/audit/verify');
    const { body } = await acme.owner.call('/v1/audit/checkpoints');
    expect(await verifyExport(linesOf(answer.text), { keys: body.keys })).toMatchObject({ ok: true, trusted: true });
    expect(await verifyExport(linesOf(answer.text), { against: body.data.at(-1) })).toMatchObject({
      ok: false,
      fault: { kind: 'rolled_back' },
    });
  });

  it('exports a part, with the hashes of the rest', async () => {
    const later = new Date(Date.now() + 60_000).toISOString();
    const { text } = await acme.owner.call(`/v1/audit/export?from=${later}`);
    expect(text).not.toContain('"kind":"entry"');
    const verdict = await verifyExport(linesOf(text));
    expect(verdict).toMatchObject({ ok: true, omitted: verdict.entries });
  });

  it('exports cells of which none is a formula', async () => {
    const { text, headers } = await acme.owner.call('/v1/audit/export?format=csv');
    expect(headers['content-type']).toMatch('text/csv');
    expect(headers['content-disposition']).toBe('attachment; filename="audit.csv"');
    expect(text).toContain(",'@SUM(A1),");
    const [head] = text.split('\r\n');
    expect(head).toMatch(/^position,id,at,action,/);
    // Every cell that begins like a formula begins with an apostrophe instead.
    expect(text).not.toMatch(/(^|[,\n])"?[=+@-]/);
  });

  it('refuses to purge what was done just now, and keeps what is on hold', async () => {
    const purge = { before: new Date().toISOString(), reason: 'to hide it' };
    expect(await acme.owner.call('/v1/audit/purges', { body: purge })).toMatchObject({
      status: 409,
      body: { code: 'conflict' },
    });
    const { body: hold, status } = await acme.owner.call('/v1/audit/holds', { body: { reason: 'case 42' } });
    expect(status).toBe(201);
    expect((await acme.owner.call('/v1/audit/holds')).body.data).toEqual([hold]);
    const { data: looks } = (await acme.owner.call('/v1/audit?action=audit_read&limit=1')).body;
    expect(looks).toMatchObject([{ route: '/v1/audit/holds', method: 'GET', changes: { holds: { new: 1 } } }]);
    const old = { before: '2020-01-01T00:00:00Z', reason: 'the rule' };
    expect((await acme.owner.call('/v1/audit/purges', { body: old })).body).toEqual({ purged: 0, held: 0 });
    expect((await acme.owner.call(`/v1/audit/holds/${hold.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await acme.owner.call(`/v1/audit/holds/${hold.id}`, { method: 'DELETE' })).status).toBe(404);
    expect((await acme.owner.call('/v1/audit?entity=AuditHold')).body.data).toHaveLength(2);
  });

  it("erases a person's e-mail, address and program, and verifies as before", async () => {
    const { user } = (await acme.owner.call('/v1/auth/me')).body;
    expect((await acme.owner.call('/v1/audit?entity=Book')).body.data).toMatchObject([
      { actor: { id: user.id, email: acme.email }, ip: '127.0.0.1', userAgent: '@SUM(A1)' },
    ]);
    const { body } = await acme.owner.call('/v1/audit/erasures', { body: { subjectId: user.id } });
    expect(body.keys).toBeGreaterThan(0);
    expect((await acme.owner.call('/v1/audit?entity=Book')).body.data).toMatchObject([
      { actor: { id: user.id, email: null }, ip: null, userAgent: null },
    ]);
    expect((await acme.owner.call('/v1/audit/verify')).body).toMatchObject({ ok: true });
    expect(await actions()).toContain('personal_values_erased');
  });

  it('lets nobody but owners and admins near it, and no key change it', async () => {
    const anonymous = new ApiClient(test.app);
    for (const url of ['/v1/audit/export', '/v1/audit/verify', '/v1/audit/checkpoints', '/v1/audit/holds']) {
      expect((await anonymous.call(url)).status).toBe(401);
    }
    const key = await acme.owner.call('/v1/api-keys', { body: { name: 'k', permissions: ['audit:write'] } });
    expect(key.status).toBeGreaterThanOrEqual(400);
  });
});
