/** One request, as cases send it. */
export interface IsolationCall {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
}

/** What a request got. */
export interface IsolationAnswer {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  readonly text: string;
}

/** Sends requests to the application under test; over a socket or past it. */
export type IsolationTransport = (call: IsolationCall) => Promise<IsolationAnswer>;

/** One of two tenants, and somebody who may do everything there. */
export interface IsolationParty {
  readonly tenantId: string;
  readonly slug: string;
  /** Stands in every text that this tenant writes and in none of anybody else's. */
  readonly canary: string;
  /** Sends as this tenant. */
  readonly send: IsolationTransport;
}

/** The JSON of an answer, or nothing when it is none. */
export function jsonOf(answer: IsolationAnswer): Record<string, unknown> {
  try {
    return (JSON.parse(answer.text) ?? {}) as Record<string, unknown>;
  } catch {
    return {};
  }
}
