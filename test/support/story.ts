import { type Answer, ApiClient, type Call } from './api-client.js';

/** What a story is told through: requests of one tenant's owner, and a list of all they were answered. */
export class Teller {
  readonly answers: Answer[] = [];

  constructor(
    readonly owner: ApiClient,
    readonly anonymous: ApiClient,
  ) {}

  async call(url: string, call?: Call, by = this.owner): Promise<Answer['body'] & Record<string, never>> {
    const answer = await by.call(url, call);
    this.answers.push(answer);
    return answer.body as never;
  }

  async logIn(app: ConstructorParameters<typeof ApiClient>[0], email: string, password: string): Promise<ApiClient> {
    const { body } = await this.anonymous.call('/v1/auth/login', { body: { email, password } });
    return new ApiClient(app, { authorization: `Bearer ${body.accessToken}` });
  }
}

const SHOWN_HEADERS = ['location', 'etag', 'idempotency-replayed', 'retry-after'] as const;

/**
 * Answers without what no two tenants have in common: ids become numbers in the order in which they appear, times and
 * cursors become words.
 */
export function withoutNames(answers: readonly Answer[], slug: string): unknown[] {
  const ids = new Map<string, string>();
  const number = (id: string) => {
    const known = ids.get(id) ?? `<id ${ids.size + 1}>`;
    ids.set(id, known);
    return known;
  };
  return answers.map(({ status, headers, body }) => {
    const shown = SHOWN_HEADERS.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]));
    const text = JSON.stringify({ status, headers: Object.fromEntries(shown), body })
      .replaceAll(/"(requestId|nextCursor|key|head|hash|publicKey|signature)":"[^"]+"/g, '"$1":"<$1>"')
      .replaceAll(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, number)
      .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, '<time>')
      .replaceAll(slug, '<slug>');
    return JSON.parse(text);
  });
}
